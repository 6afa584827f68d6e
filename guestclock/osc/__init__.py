"""Commands of the openstack client: `openstack clock explain|audit|image list|server list`."""
