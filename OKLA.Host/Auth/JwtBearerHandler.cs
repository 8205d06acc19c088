using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace OKLA.Host.Auth;

/// <summary>Signs a request in by the JSON Web Token in its <c>Authorization: Bearer</c> header.</summary>
internal sealed class JwtBearerHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> schemeOptions,
    ILoggerFactory loggers,
    UrlEncoder encoder,
    FailureLimiter limiter,
    IHostEnvironment environment,
    IOptions<AuthOptions> options,
    SigningKeys keys,
    TimeProvider time) : CredentialHandler(schemeOptions, loggers, encoder, limiter, environment)
{
    /// <summary>Name of the authentication scheme.</summary>
    public new const string Scheme = "Bearer";

    protected override bool IsPresent =>
        Request.Headers.Authorization is { Count: > 0 } headers && (headers.Count > 1 || NamesBearer(headers[0]));

    protected override async ValueTask<(Refusal Refusal, ClaimsIdentity? Identity)> CheckAsync(CancellationToken ct)
    {
        // Two credentials of one kind: which one a proxy before us looked at is anybody's guess.
        if (Request.Headers.Authorization is not [{ Length: > 7 } header]) return (Refusal.MalformedHeader, null);
        var refusal = Jwt.TryParse(header.AsSpan(Scheme.Length + 1), out var jwt);
        if (jwt is null) return (refusal, null);
        refusal = jwt.Check(await keys.FindAsync(jwt.KeyId, ct), options.Value, time.GetUtcNow(), out var identity);
        return (refusal, identity);
    }

    private static bool NamesBearer(string? header) =>
        header is not null && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) && (header.Length == Scheme.Length || header[Scheme.Length] == ' ');
}
