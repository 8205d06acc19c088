using System.Globalization;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace OKLA.Host.Auth;

/// <summary>
/// What bearer tokens and API keys have in common: addresses that fail too often wait, refusals are logged with their reason
/// and answered with a short code, and a missing right is a 403.
/// </summary>
internal abstract class CredentialHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory loggers,
    UrlEncoder encoder,
    FailureLimiter limiter,
    IHostEnvironment environment) : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    /// <summary>True when the request carries a credential of this kind.</summary>
    protected abstract bool IsPresent { get; }

    /// <summary>Checks the request's credential: who it proves, or why it is refused.</summary>
    protected abstract ValueTask<(Refusal Refusal, ClaimsIdentity? Identity)> CheckAsync(CancellationToken ct);

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (!IsPresent) return AuthenticateResult.NoResult();
        var address = Context.Connection.RemoteIpAddress;
        var wait = limiter.WaitOf(address);
        if (wait > TimeSpan.Zero) return Refuse(Refusal.TooManyFailures, wait);

        var (refusal, identity) = await CheckAsync(Context.RequestAborted);
        if (identity is not null) return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Scheme.Name));

        // A token that was good and ran out is no attempt to get in.
        if (refusal != Refusal.Expired) limiter.Count(address);
        Log.CredentialRefused(Logger, Scheme.Name, refusal, address);
        return Refuse(refusal, TimeSpan.Zero);
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        await HandleAuthenticateOnceSafeAsync();
        var refused = Context.Features.Get<RefusedCredential>() ?? new RefusedCredential(Refusal.None);
        var code = refused.Refusal.Code();
        var status = StatusCodes.Status401Unauthorized;
        if (refused.Refusal == Refusal.TooManyFailures)
        {
            status = StatusCodes.Status429TooManyRequests;
            Response.Headers.RetryAfter = ((int)Math.Ceiling(refused.RetryAfter.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }
        else
        {
            // RFC 6750 section 3.1: no error attribute when no credential was sent.
            Response.Headers.WWWAuthenticate = refused.Refusal == Refusal.None ? "Bearer realm=\"okla\"" : "Bearer realm=\"okla\", error=\"invalid_token\"";
        }

        await AnswerAsync(status, code, refused.Refusal);
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        Response.Headers.WWWAuthenticate = "Bearer realm=\"okla\", error=\"insufficient_scope\"";
        return AnswerAsync(StatusCodes.Status403Forbidden, "forbidden", Refusal.None);
    }

    private AuthenticateResult Refuse(Refusal refusal, TimeSpan wait)
    {
        Context.Features.Set(new RefusedCredential(refusal, wait));
        return AuthenticateResult.Fail(refusal.Code());
    }

    private Task AnswerAsync(int status, string code, Refusal refusal)
    {
        var extensions = new Dictionary<string, object?> { ["code"] = code };
        if (environment.IsDevelopment() && refusal != Refusal.None) extensions["reason"] = refusal.ToString();
        return TypedResults.Problem(Refusals.Text(code), statusCode: status, extensions: extensions).ExecuteAsync(Context);
    }
}
