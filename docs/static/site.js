// What screen readers need and the theme leaves out: names for the toggles of the navigation, and wide tables
// that can be scrolled with the keyboard.
document.addEventListener("DOMContentLoaded", () => {
  for (const toggle of document.querySelectorAll(".bd-links summary")) {
    const link = toggle.closest("li").querySelector("a");
    toggle.setAttribute("aria-label", `Pages below ${link.textContent.trim()}`);
  }
  for (const box of document.querySelectorAll(".pst-scrollable-table-container, .pst-scrollable-table-container table, div.highlight pre")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
});
