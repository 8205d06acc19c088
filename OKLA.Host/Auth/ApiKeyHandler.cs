using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using OKLA.Shared.Web;

namespace OKLA.Host.Auth;

/// <summary>
/// Signs a request in by the key in its <c>X-Api-Key</c> header. A bearer token beside it counts too (a page's write key and
/// its visitor's token travel together); when either is refused, both are. A beacon cannot set headers: events may come with a
/// browser's key as <c>?key=</c>. Never a server's, as addresses are written to logs.
/// </summary>
internal sealed class ApiKeyHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> schemeOptions,
    ILoggerFactory loggers,
    UrlEncoder encoder,
    FailureLimiter limiter,
    IHostEnvironment environment,
    ApiKeys keys) : CredentialHandler(schemeOptions, loggers, encoder, limiter, environment)
{
    /// <summary>Name of the authentication scheme.</summary>
    public new const string Scheme = "ApiKey";

    /// <summary>Name of the header.</summary>
    public const string Header = "X-Api-Key";

    private const string Parameter = "key";

    /// <summary>Whether a request carries a key.</summary>
    public static bool IsSent(HttpRequest request) => request.Headers.ContainsKey(Header) || IsBeacon(request);

    protected override bool IsPresent => IsSent(Request);

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var result = await base.HandleAuthenticateAsync();
        if (!result.Succeeded) return result;
        var bearer = await Context.AuthenticateAsync(JwtBearerHandler.Scheme);
        if (bearer.Failure is not null) return bearer;
        if (bearer.Succeeded) result.Principal.AddIdentities(bearer.Principal.Identities);
        return result;
    }

    protected override async ValueTask<(Refusal Refusal, ClaimsIdentity? Identity)> CheckAsync(CancellationToken ct)
    {
        var sent = Request.Headers.TryGetValue(Header, out var inHeader) ? inHeader : Request.Query[Parameter];
        if (sent is not [{ } text] || !ApiKey.TryParse(text, out var keyId, out var hash)) return (Refusal.KeyMalformed, null);
        if (await keys.FindAsync(keyId) is not { } key) return (Refusal.KeyUnknown, null);
        var refusal = key.Check(hash, Request.Headers.Origin is [{ } origin] ? origin : null);
        if (refusal != Refusal.None) return (refusal, null);
        if (key.Kind != ApiKey.Browser && !Request.Headers.ContainsKey(Header)) return (Refusal.KeyMalformed, null);
        await keys.NoteUseAsync(key);

        var identity = new ClaimsIdentity(Scheme, CurrentUser.Claims.User, CurrentUser.Claims.Role);
        identity.AddClaim(new Claim(CurrentUser.Claims.KeyId, key.KeyId));
        if (key.Kind == ApiKey.Server) identity.AddClaim(new Claim(CurrentUser.Claims.ServerKey, key.KeyId));
        identity.AddClaims(key.Scopes.Select(scope => new Claim(CurrentUser.Claims.Scope, scope)));
        if (key.Scopes.Contains(Policies.Scopes.Admin)) identity.AddClaim(new Claim(CurrentUser.Claims.Role, CurrentUser.Claims.Admin));
        return (Refusal.None, identity);
    }

    private static bool IsBeacon(HttpRequest request) =>
        HttpMethods.IsPost(request.Method) && request.Path.Equals("/api/events", StringComparison.OrdinalIgnoreCase) && request.Query.ContainsKey(Parameter);
}
