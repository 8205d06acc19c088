using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Claims;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.DependencyInjection;

namespace OKLA.Shared.Web;

/// <summary>Fixed windows per caller: the signed-in user or API key, else the client's address.</summary>
public static class RateLimits
{
    /// <summary>Policy for endpoints that cost much: <c>.RequireRateLimiting(RateLimits.Strict)</c>. It counts beside the general limit.</summary>
    public const string Strict = "strict";

    internal static void Configure(RateLimiterOptions limiter, WebOptions web)
    {
        limiter.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
        limiter.OnRejected = RejectAsync;
        limiter.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(c => Window(c, web.RateLimits, web.RequestsPerWindow, web.Window));
        limiter.AddPolicy(Strict, c => Window(c, web.RateLimits, web.StrictRequestsPerWindow, web.StrictWindow));
    }

    /// <summary>
    /// Who is counted. Only a verified identity counts as itself (a made-up API key would give everyone a fresh window);
    /// an IPv6 client by its /64, of which it can use every address.
    /// </summary>
    internal static string Caller(HttpContext context)
    {
        if (context.User.Identity is { IsAuthenticated: true } identity
            && (context.User.FindFirstValue(ClaimTypes.NameIdentifier) ?? context.User.FindFirstValue("sub") ?? identity.Name) is { } name)
            return $"{identity.AuthenticationType}:{name}";
        if (context.Connection.RemoteIpAddress is not { } address) return "local";
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return address.AddressFamily == AddressFamily.InterNetworkV6 ? new IPAddress([.. address.GetAddressBytes().Take(8), 0, 0, 0, 0, 0, 0, 0, 0]).ToString() : address.ToString();
    }

    private static RateLimitPartition<string> Window(HttpContext context, bool on, int permits, TimeSpan window) => on
        ? RateLimitPartition.GetFixedWindowLimiter(Caller(context), _ => new() { PermitLimit = permits, Window = window, QueueLimit = 0 })
        : RateLimitPartition.GetNoLimiter("");

    private static async ValueTask RejectAsync(OnRejectedContext context, CancellationToken ct)
    {
        var response = context.HttpContext.Response;
        var wait = context.Lease.TryGetMetadata(MetadataName.RetryAfter, out var left) ? left : TimeSpan.FromSeconds(1);
        response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        await context.HttpContext.RequestServices.GetRequiredService<IProblemDetailsService>()
            .TryWriteAsync(new() { HttpContext = context.HttpContext, ProblemDetails = { Status = response.StatusCode } });
    }
}
