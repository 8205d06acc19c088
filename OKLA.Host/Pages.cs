using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Primitives;

namespace OKLA.Host;

/// <summary>The built front end: its files, the pages that it draws in the browser, the API reference at <c>/docs</c>, and the SDK for other sites at <c>/sdk</c>.</summary>
internal static class Pages
{
    /// <summary>Nothing inline and nothing from elsewhere but the sellers' pictures.</summary>
    internal const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; font-src 'self'; connect-src 'self'; " +
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

    private const string NotBuilt = """
        <!doctype html>
        <html lang="es-DO">
        <head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>OKLA</title></head>
        <body>
        <h1>Falta compilar las páginas</h1>
        <p>El servidor está funcionando, pero las páginas no se han compilado. En la carpeta del proyecto:</p>
        <pre>npm ci --prefix OKLA.Host/web
        npm run build --prefix OKLA.Host/web</pre>
        <p>Después inicia el servidor otra vez. <code>./build/run.sh</code> hace las dos cosas.</p>
        </body>
        </html>
        """;

    /// <summary>First segments that belong to machines: what is not found there is an API's 404, never a page.</summary>
    private static readonly string[] Reserved = ["api", "openapi", "health", "metrics"];

    /// <summary>Page routes of <c>web/src/App.tsx</c> by first segment; the root is a page too.</summary>
    private static readonly string[] PageRoutes = ["vehiculos"];

    private const string Sdk = "/sdk";

    /// <summary>Sites name the SDK without a version: a new one reaches them within the hour, and the old one is used while it is asked for.</summary>
    private const string SdkCaching = "public, max-age=3600, stale-while-revalidate=86400";

    private static readonly object NotFoundKey = new();

    /// <summary>
    /// Serves the pages wherever no endpoint answers; to be called after authentication and rate limits. A page that the front end
    /// does not know is drawn by it all the same, with status 404.
    /// </summary>
    public static void MapPages(this WebApplication app) => app.MapPages(Built(app.Environment.WebRootPath));

    /// <summary>The same from a given folder; null when the front end is not built.</summary>
    internal static void MapPages(this WebApplication app, string? folder)
    {
        if (folder is null)
        {
            app.UseWhen(IsFree, pages => pages.Run(AnswerNotBuiltAsync));
            return;
        }

        var files = new PhysicalFileProvider(folder);
        app.Lifetime.ApplicationStopped.Register(files.Dispose);
        app.UseWhen(IsFree, pages =>
        {
            pages.Use((context, next) =>
            {
                Choose(context, files);
                return next(context);
            });
            pages.UseStaticFiles(new StaticFileOptions { FileProvider = files, ContentTypeProvider = new ContentTypes(), OnPrepareResponse = Prepare });
        });
    }

    /// <summary>The web root, if the front end is built there.</summary>
    internal static string? Built(string? webRoot) => !string.IsNullOrEmpty(webRoot) && File.Exists(Path.Combine(webRoot, "index.html")) ? webRoot : null;

    private static bool IsFree(HttpContext context) =>
        context.GetEndpoint() is null
        && (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method))
        && !Reserved.Contains(FirstSegment(context.Request.Path), StringComparer.OrdinalIgnoreCase);

    // Names the file that answers a request: itself, the page that draws the route, or what a client without pages gets (nothing).
    private static void Choose(HttpContext context, PhysicalFileProvider files)
    {
        var request = context.Request;
        var path = request.Path.Value is { Length: > 0 } given ? given : "/";
        if (path is "/docs" or "/docs/")
        {
            path = "/docs/index.html";
        }
        else if (path == "/" || PageRoutes.Contains(FirstSegment(path), StringComparer.Ordinal))
        {
            path = "/index.html";
        }
        else if (!files.GetFileInfo(path).Exists && WantsPage(request))
        {
            path = "/index.html";
            context.Items[NotFoundKey] = true;
        }

        foreach (var (encoding, ending) in Compressed)
        {
            if (!Accepts(request, encoding) || !files.GetFileInfo(path + ending).Exists) continue;
            path += ending;
            break;
        }

        request.Path = path;
    }

    private static readonly (string Encoding, string Ending)[] Compressed = [("br", ".br"), ("gzip", ".gz")];

    private static void Prepare(StaticFileResponseContext prepared)
    {
        var response = prepared.Context.Response;
        var headers = response.Headers;
        var path = prepared.Context.Request.Path;
        var compressed = Array.Find(Compressed, c => path.Value!.EndsWith(c.Ending, StringComparison.Ordinal));
        if (compressed.Encoding is not null) headers.ContentEncoding = compressed.Encoding;
        headers.Vary = "Accept-Encoding";
        // The build names files in assets after their content; everything else is asked for again, cheaply, by its ETag.
        headers.CacheControl = path.StartsWithSegments("/assets") ? "public, max-age=31536000, immutable" : path.StartsWithSegments(Sdk) ? SdkCaching : "no-cache";
        Secure(headers);
        if (path.StartsWithSegments(Sdk))
        {
            // Other sites load it, also as a module, which browsers allow only with these.
            headers.AccessControlAllowOrigin = "*";
            headers["Cross-Origin-Resource-Policy"] = "cross-origin";
        }

        if (response.StatusCode == StatusCodes.Status200OK && prepared.Context.Items.ContainsKey(NotFoundKey))
            response.StatusCode = StatusCodes.Status404NotFound;
    }

    private static async Task AnswerNotBuiltAsync(HttpContext context)
    {
        Secure(context.Response.Headers);
        context.Response.Headers.CacheControl = "no-store";
        context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = "text/html; charset=utf-8";
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.WriteAsync(NotBuilt, context.RequestAborted);
    }

    private static void Secure(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "strict-origin-when-cross-origin";
    }

    private static bool WantsPage(HttpRequest request) =>
        request.Headers.Accept.Any(value => value?.Contains("text/html", StringComparison.OrdinalIgnoreCase) == true);

    // A quality of zero is the only way to refuse an encoding that is named.
    private static bool Accepts(HttpRequest request, string encoding) =>
        request.GetTypedHeaders().AcceptEncoding.Any(accepted => accepted.Value.Equals(new StringSegment(encoding), StringComparison.OrdinalIgnoreCase) && accepted.Quality is not 0);

    private static string FirstSegment(PathString path) => path.Value is { Length: > 1 } value ? value[1..].Split('/', 2)[0] : "";

    /// <summary>Content types by ending; a compressed file has its original's.</summary>
    private sealed class ContentTypes : IContentTypeProvider
    {
        private readonly FileExtensionContentTypeProvider known = new();

        public bool TryGetContentType(string subpath, [MaybeNullWhen(false)] out string contentType)
        {
            var compressed = Array.Find(Compressed, c => subpath.EndsWith(c.Ending, StringComparison.Ordinal));
            var path = compressed.Ending is null ? subpath : subpath[..^compressed.Ending.Length];
            if (path.EndsWith(".mjs", StringComparison.Ordinal))
            {
                contentType = "text/javascript";
            }
            else if (path.EndsWith(".d.ts", StringComparison.Ordinal) || path.EndsWith(".cs", StringComparison.Ordinal))
            {
                // Sources to read; .ts alone would be a film.
                contentType = "text/plain; charset=utf-8";
            }
            else if (!known.TryGetContentType(path, out contentType))
            {
                return false;
            }

            if (contentType is "text/html" or "text/javascript" or "text/css" or "image/svg+xml") contentType += "; charset=utf-8";
            return true;
        }
    }
}
