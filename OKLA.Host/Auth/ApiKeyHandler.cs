using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using OKLA.Shared.Web;

namespace OKLA.Host.Auth;

/// <summary>
/// Signs a request in by the key in its <c>X-Api-Key</c> header. A bearer token beside it counts too (a page's write key and
/// its visitor's token travel together); when either is refused, both are.
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

    protected override bool IsPresent => Request.Headers.ContainsKey(Header);

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
        if (Request.Headers[Header] is not [{ } text] || !ApiKey.TryParse(text, out var keyId, out var hash)) return (Refusal.KeyMalformed, null);
        if (await keys.FindAsync(keyId) is not { } key) return (Refusal.KeyUnknown, null);
        var refusal = key.Check(hash, Request.Headers.Origin is [{ } origin] ? origin : null);
        if (refusal != Refusal.None) return (refusal, null);
        await keys.NoteUseAsync(key);

        var identity = new ClaimsIdentity(Scheme, CurrentUser.Claims.User, CurrentUser.Claims.Role);
        identity.AddClaim(new Claim(CurrentUser.Claims.KeyId, key.KeyId));
        identity.AddClaims(key.Scopes.Select(scope => new Claim(CurrentUser.Claims.Scope, scope)));
        if (key.Scopes.Contains(Policies.Scopes.Admin)) identity.AddClaim(new Claim(CurrentUser.Claims.Role, CurrentUser.Claims.Admin));
        return (Refusal.None, identity);
    }
}
