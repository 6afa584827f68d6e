"use strict";
// The page is whole without this script; it only filters, sorts and pages the rows.
(() => {
  const STEP = 300;
  const body = document.querySelector("#findings tbody");
  if (!body) return;
  const rows = [...body.rows].map((row) => ({ row, text: row.textContent.toLowerCase() }));
  const search = document.querySelector("#search");
  const boxes = [...document.querySelectorAll("input[name=severity]")];
  const count = document.querySelector("#count");
  const more = document.querySelector("#more");
  let limit = STEP;

  function show() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    let matching = 0;
    for (const { row, text } of rows) {
      const fits = wanted.has(row.dataset.severity) && words.every((word) => text.includes(word));
      if (fits) matching += 1;
      row.hidden = !fits || matching > limit;
    }
    const shown = Math.min(matching, limit);
    const part = shown < matching ? `${shown.toLocaleString("en")} of ` : "";
    const noun = matching === 1 ? "finding" : "findings";
    count.textContent = `${part}${matching.toLocaleString("en")} ${noun}`;
    more.hidden = shown === matching;
  }

  function sort(head, key) {
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of head.parentElement.cells) {
      if (other.querySelector("button")) other.setAttribute("aria-sort", "none");
    }
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = ({ row }) => row.dataset[key] ?? "";
    const numeric = key !== "machine" && key !== "rule";
    rows.sort((one, other) => {
      const left = value(one), right = value(other);
      // What is not known stays at the end, whichever way is up.
      if (left === "" || right === "") return (left === "") - (right === "");
      const order = numeric
        ? Number(left) - Number(right)
        : left.localeCompare(right, "en", { numeric: true });
      return down ? -order : order;
    });
    body.append(...rows.map(({ row }) => row));
    show();
  }

  for (const button of document.querySelectorAll("#findings thead button")) {
    button.addEventListener("click", () => sort(button.closest("th"), button.dataset.key));
  }
  const again = () => { limit = STEP; show(); };
  search.addEventListener("input", again);
  for (const box of boxes) box.addEventListener("change", again);
  more.addEventListener("click", () => { limit += STEP; show(); });
  // page.html#words opens the page with these words searched, so that a search can be sent on.
  try {
    search.value = decodeURIComponent(location.hash.slice(1));
  } catch {
    search.value = "";
  }
  document.querySelector("#tools").hidden = false;
  show();
})();
