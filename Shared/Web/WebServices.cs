using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using IPNetwork = System.Net.IPNetwork;

namespace OKLA.Shared.Web;

/// <summary>Registration of what every request meets.</summary>
public static class WebServices
{
    /// <summary>
    /// Adds problem details, exception handling, forwarded headers, cross-origin rules and rate limits (section <c>Web</c>).
    /// Validation is not among them: <c>AddValidation()</c> validates only what is declared in the assembly that calls it,
    /// so each module calls it in its own <c>Add…</c>.
    /// </summary>
    public static IServiceCollection AddWeb(this IServiceCollection services)
    {
        services.AddOptions<WebOptions>().BindConfiguration("Web").ValidateDataAnnotations().ValidateOnStart()
            .Validate(o => o.TrustedProxies.All(p => IPNetwork.TryParse(Network(p), out _)), "Web:TrustedProxies holds addresses or networks such as 10.0.0.0/8.");
        services.AddProblemDetails(o => o.CustomizeProblemDetails = Problems.Complete).AddExceptionHandler<ProblemExceptionHandler>();
        services.Configure<RouteHandlerOptions>(o => o.ThrowOnBadRequest = true);
        services.Configure<JsonOptions>(o => o.SerializerOptions.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false)));
        services.AddRateLimiter();
        services.AddOptions<RateLimiterOptions>().Configure<IOptions<WebOptions>>((limiter, web) => RateLimits.Configure(limiter, web.Value));
        services.AddCors();
        services.AddOptions<CorsOptions>().Configure<IOptions<WebOptions>>((cors, web) =>
            cors.AddDefaultPolicy(p => p.WithOrigins(web.Value.AllowedOrigins).AllowAnyHeader().AllowAnyMethod().WithExposedHeaders("Retry-After")));
        services.AddOptions<ForwardedHeadersOptions>().Configure<IOptions<WebOptions>>((forwarded, web) =>
        {
            forwarded.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto;
            foreach (var proxy in web.Value.TrustedProxies) forwarded.KnownIPNetworks.Add(IPNetwork.Parse(Network(proxy)));
        });
        return services;
    }

    /// <summary>First in the pipeline: client address behind proxies, security headers, exceptions and empty refusals as problem details, cross-origin rules.</summary>
    public static WebApplication UseWeb(this WebApplication app)
    {
        app.UseForwardedHeaders();
        app.UseSecurityHeaders();
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        app.UseRouting();
        app.UseCors();
        return app;
    }

    /// <summary>After authentication, so that a caller is known by its verified identity.</summary>
    public static WebApplication UseRateLimits(this WebApplication app)
    {
        app.UseRateLimiter();
        return app;
    }

    private static void UseSecurityHeaders(this WebApplication app)
    {
        var policy = app.Services.GetRequiredService<IOptions<WebOptions>>().Value.ContentSecurityPolicy;
        var strict = !app.Environment.IsDevelopment();
        app.Use((context, next) =>
        {
            // Set when the answer starts: the exception handler clears headers that were set before.
            context.Response.OnStarting(() =>
            {
                var headers = context.Response.Headers;
                headers.XContentTypeOptions = "nosniff";
                // For browsers that do not know frame-ancestors; it must not say more than the policy.
                if (policy.Contains("frame-ancestors 'none'", StringComparison.Ordinal)) headers.XFrameOptions = "DENY";
                headers["Referrer-Policy"] = "strict-origin-when-cross-origin";
                headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()";
                if (policy.Length > 0 && headers.ContentSecurityPolicy.Count == 0) headers.ContentSecurityPolicy = policy;
                if (strict && context.Request.IsHttps) headers.StrictTransportSecurity = "max-age=31536000";
                return Task.CompletedTask;
            });
            return next(context);
        });
    }

    private static string Network(string proxy) => proxy.Contains('/', StringComparison.Ordinal) ? proxy : $"{proxy}/{(proxy.Contains(':', StringComparison.Ordinal) ? 128 : 32)}";
}
