using System.ComponentModel.DataAnnotations;
using System.Text;
using Microsoft.Extensions.Options;
using OKLA.Shared.Web;

namespace OKLA.Host.Auth;

/// <summary>Section <c>Auth</c>: whose tokens are believed, and how patiently refused credentials are answered.</summary>
internal sealed class AuthOptions : IValidatableObject
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Auth";

    /// <summary>The <c>iss</c> of the tokens to believe, to the letter. Needed as soon as a key is configured.</summary>
    [MaxLength(Jwt.MaximumTextLength)]
    public string? Issuer { get; set; }

    /// <summary>The <c>aud</c> that tokens for this marketplace carry.</summary>
    [Required, MaxLength(Jwt.MaximumTextLength)]
    public string Audience { get; set; } = "okla";

    /// <summary>How far the issuer's clock may differ from ours: 0 to 5 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")]
    public TimeSpan ClockSkew { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Path of a JSON Web Key Set with the issuer's keys (RSA, EC or secrets). Read again when the file changes.</summary>
    public string? JwksFile { get; set; }

    /// <summary>HTTPS address of the issuer's JSON Web Key Set (RSA and EC keys only). Plain HTTP is accepted on loopback only.</summary>
    public Uri? JwksUrl { get; set; }

    /// <summary>How often the address is asked again without need: 1 minute to 1 day.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "1.00:00:00")]
    public TimeSpan JwksRefresh { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Least time between two readings of the file or address, however many unknown key ids arrive: 1 second to 10 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan JwksMinimumInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the address may take to answer: 1 to 30 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:00:30")]
    public TimeSpan JwksTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Secrets shared with the issuer, for HS256: at most 10, so that an old and a new one can overlap.</summary>
    [MaxLength(10)]
    public IList<HmacSecret> HmacKeys { get; } = [];

    /// <summary>The issuer's names of roles that differ from ours: their name to buyer, dealer or admin. Our own three names always count.</summary>
    public IDictionary<string, string> RoleNames { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>How long a found API key is believed without asking the database, so how long a revoked one may live on other hosts: 0 to 5 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")]
    public TimeSpan ApiKeyCache { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Refused credentials an address may send at once before it is told to wait: 5 to 10,000.</summary>
    [Range(5, 10_000)]
    public int FailureBurst { get; set; } = 60;

    /// <summary>Refused credentials an address gets back every minute: 1 to 10,000.</summary>
    [Range(1, 10_000)]
    public int FailuresPerMinute { get; set; } = 60;

    /// <summary>How long a token of the demo issuer lives: 1 minute to 1 day. Development only.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "1.00:00:00")]
    public TimeSpan DemoTokenLifetime { get; set; } = TimeSpan.FromHours(8);

    /// <summary>Where the demo issuer keeps its random key, so that a restart leaves people signed in; without it the key lives as long as the process. Development only.</summary>
    public string? DemoKeyFile { get; set; }

    /// <summary>True when anything is configured that can check a token.</summary>
    public bool HasKeys => JwksFile is { Length: > 0 } || JwksUrl is not null || HmacKeys.Count > 0;

    /// <summary>Our name of a role that a token names, or null when it is none of ours.</summary>
    public string? RoleNamed(string name) =>
        name is CurrentUser.Claims.Buyer or CurrentUser.Claims.Dealer or CurrentUser.Claims.Admin ? name
        : RoleNames.TryGetValue(name, out var ours) ? ours
        : null;

    /// <inheritdoc />
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (HasKeys && string.IsNullOrWhiteSpace(Issuer))
            yield return new ValidationResult("Auth:Issuer must name whose tokens the configured keys sign.");
        if (JwksUrl is { } url && !(url.IsAbsoluteUri && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback))))
            yield return new ValidationResult("Auth:JwksUrl must start with https:// (http:// is accepted on loopback only).");
        foreach (var (index, key) in HmacKeys.Index())
            if (!key.TryGetBytes(out var bytes) || bytes.Length < HmacKey.MinimumBytes)
                yield return new ValidationResult($"Auth:HmacKeys:{index}:Secret must be at least {HmacKey.MinimumBytes} bytes long, as text or after \"base64:\".");
        if (HmacKeys.Any(key => key.Id?.Length is 0 or > Jwt.MaximumTextLength))
            yield return new ValidationResult($"Auth:HmacKeys: an Id has 1 to {Jwt.MaximumTextLength} characters, or is left out.");
        if (HmacKeys.GroupBy(key => key.Id).Any(group => group.Count() > 1))
            yield return new ValidationResult("Auth:HmacKeys: two keys have the same Id.");
        foreach (var (theirs, ours) in RoleNames)
            if (ours is not (CurrentUser.Claims.Buyer or CurrentUser.Claims.Dealer or CurrentUser.Claims.Admin))
                yield return new ValidationResult($"Auth:RoleNames:{theirs} must be buyer, dealer or admin.");
    }

    /// <summary>A secret shared with the issuer.</summary>
    internal sealed class HmacSecret
    {
        /// <summary>The <c>kid</c> of its tokens; without one it serves tokens without one.</summary>
        public string? Id { get; set; }

        /// <summary>The secret: 32 bytes or more, as text, or as Base64 after <c>base64:</c>.</summary>
        public string Secret { get; set; } = "";

        /// <summary>The secret's bytes; false when it is no Base64 after <c>base64:</c>.</summary>
        public bool TryGetBytes(out byte[] bytes)
        {
            const string prefix = "base64:";
            if (!Secret.StartsWith(prefix, StringComparison.Ordinal))
            {
                bytes = Encoding.UTF8.GetBytes(Secret);
                return true;
            }

            var decoded = new byte[Secret.Length];
            var valid = Convert.TryFromBase64String(Secret[prefix.Length..], decoded, out var written);
            bytes = valid ? decoded[..written] : [];
            return valid;
        }
    }
}

/// <summary>Stops the start outside Development when no token could ever be checked.</summary>
internal sealed class AuthOptionsNeedKeys(IHostEnvironment environment) : IValidateOptions<AuthOptions>
{
    public ValidateOptionsResult Validate(string? name, AuthOptions options) =>
        options.HasKeys || environment.IsDevelopment()
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(
                "Nobody could sign in: outside Development, set Auth:Issuer and one of Auth:JwksUrl, Auth:JwksFile or Auth:HmacKeys to the keys of your token issuer.");
}
