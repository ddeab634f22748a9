// Colours: light, dark, or as the system. Loaded before the first paint, so that the page never flashes.
(() => {
  const choices = ["auto", "light", "dark"];
  const names = { auto: "as the system", light: "light", dark: "dark" };
  const root = document.documentElement;

  function stored() {
    try {
      const choice = localStorage.getItem("hubbub-theme");
      return choices.includes(choice) ? choice : "auto";
    } catch {
      return "auto"; // storage is forbidden
    }
  }

  function show(choice) {
    root.dataset.theme = choice;
    const button = document.getElementById("theme");
    button?.setAttribute("aria-label", `Colours: ${names[choice]}`);
    button?.setAttribute("title", `Colours: ${names[choice]}`);
  }

  show(stored());
  addEventListener("DOMContentLoaded", () => {
    show(root.dataset.theme);
    document.getElementById("theme").addEventListener("click", () => {
      const next = choices[(choices.indexOf(root.dataset.theme) + 1) % choices.length];
      show(next);
      try {
        localStorage.setItem("hubbub-theme", next);
      } catch {
        // the choice lasts until the page is closed
      }
    });
  });
})();
