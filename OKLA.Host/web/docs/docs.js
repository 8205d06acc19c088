(function () {
  var root = document.documentElement;
  var system = window.matchMedia('(prefers-color-scheme: dark)');
  var paint = function () {
    var theme = root.dataset.theme || (system.matches ? 'dark' : 'light');
    root.classList.toggle('dark-mode', theme === 'dark');
  };
  paint();
  system.addEventListener('change', paint);

  window.ui = window.SwaggerUIBundle({
    url: '/openapi/v1.json',
    dom_id: '#reference',
    deepLinking: true,
    docExpansion: 'list',
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    filter: true,
    persistAuthorization: false,
    tryItOutEnabled: false,
    // Its default sends the document's address to another server.
    validatorUrl: null,
  });
})();
