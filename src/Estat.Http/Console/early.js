// Runs before the page is painted: a chosen theme must not flash the other one.
(() => {
  try {
    const theme = localStorage.getItem('estat.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch {
    // No storage, such as in a private window: the system's theme.
  }
})();
