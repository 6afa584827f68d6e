"""Images on servers, of which only what is needed is fetched."""
