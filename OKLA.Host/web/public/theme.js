// Before the first paint, so that a page never flashes in the other theme. A file of its own: the content security policy allows no inline script.
(function () {
  var root = document.documentElement;
  var chosen = null;
  try {
    chosen = localStorage.getItem('okla.theme');
  } catch (error) {
    console.warn('Storage is closed; the theme follows the system.', error);
  }
  if (chosen === 'light' || chosen === 'dark') root.dataset.theme = chosen;
})();
