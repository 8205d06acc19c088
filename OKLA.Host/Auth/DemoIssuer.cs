using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using OKLA.Shared.Web;

namespace OKLA.Host.Auth;

/// <summary>
/// POST /api/auth/demo/{buyer|dealer|admin}: one account a role, without a password, for trying OKLA out. Exists in
/// Development only: elsewhere it is neither registered nor mapped, and it refuses to be constructed.
/// </summary>
internal sealed class DemoIssuer
{
    private const string Issuer = "okla-demo";
    private readonly byte[] secret;
    private readonly AuthOptions options;
    private readonly TimeProvider time;

    public DemoIssuer(IOptions<AuthOptions> authOptions, IHostEnvironment environment, TimeProvider time, ILogger<DemoIssuer> logger)
    {
        if (!environment.IsDevelopment()) throw new InvalidOperationException("The demo issuer exists in Development only.");
        options = authOptions.Value;
        this.time = time;
        secret = options.DemoKeyFile is { Length: > 0 } path ? ReadOrCreate(path) : RandomNumberGenerator.GetBytes(HmacKey.MinimumBytes);
        // The id follows from the secret: a token of an earlier secret names an unknown key, it is not a forgery.
        Key = new HmacKey("demo-" + Convert.ToHexStringLower(SHA256.HashData(secret)[..4]), secret, new Trust(Issuer, options.Audience));
        Log.DemoIssuerOn(logger);
    }

    /// <summary>The answer: a token, its life in seconds, and whose it is.</summary>
    public sealed record SignedIn(string AccessToken, int ExpiresIn, Account User);

    /// <summary>A demo account.</summary>
    public sealed record Account(string Id, string Name, string Role, string? DealerId);

    /// <summary>The key that checks the demo tokens, and no others.</summary>
    public VerificationKey Key { get; }

    private static string[] Accounts { get; } = ["buyer", "dealer", "admin"];

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/demo", () => TypedResults.Ok(Accounts)).AllowAnonymous().ExcludeFromDescription();
        routes.MapPost("/demo/{account}", Handle).AllowAnonymous().WithSummary("Development only: signs in a demo buyer, dealer or admin");
    }

    private static Results<Ok<SignedIn>, NotFound> Handle(string account, DemoIssuer issuer, HttpResponse response)
    {
        response.Headers.CacheControl = "no-store";
        Account? user = account switch
        {
            CurrentUser.Claims.Buyer => new("demo-buyer", "Compradora de prueba", account, null),
            CurrentUser.Claims.Dealer => new("demo-dealer", "Vendedor de prueba", account, "demo-dealer"),
            CurrentUser.Claims.Admin => new("demo-admin", "Administración de prueba", account, null),
            _ => null,
        };
        return user is null ? TypedResults.NotFound() : TypedResults.Ok(issuer.SignIn(user));
    }

    private SignedIn SignIn(Account user)
    {
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        var life = (int)options.DemoTokenLifetime.TotalSeconds;
        var claims = new Dictionary<string, object>
        {
            ["iss"] = Issuer,
            ["aud"] = options.Audience,
            ["sub"] = user.Id,
            ["name"] = user.Name,
            ["role"] = user.Role,
            ["iat"] = now,
            ["exp"] = now + life,
        };
        if (user.DealerId is not null) claims["dealer_id"] = user.DealerId;
        var header = new Dictionary<string, object> { ["alg"] = Key.Algorithm, ["typ"] = "JWT", ["kid"] = Key.Id! };
        var signed = $"{Encode(header)}.{Encode(claims)}";
        return new SignedIn($"{signed}.{Base64Url.EncodeToString(HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes(signed)))}", life, user);
    }

    private static string Encode(Dictionary<string, object> part) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(part));

    // Whole or not at all, also when two hosts of one data folder start together: the loser of the move reads the winner's.
    private static byte[] ReadOrCreate(string path)
    {
        if (!File.Exists(path))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            var draft = $"{path}.{Guid.NewGuid():n}";
            var how = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) how.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using (var file = new FileStream(draft, how)) file.Write(RandomNumberGenerator.GetBytes(HmacKey.MinimumBytes));
            try
            {
                File.Move(draft, path, overwrite: false);
            }
            catch (IOException) when (File.Exists(path))
            {
                File.Delete(draft);
            }
        }

        var bytes = File.ReadAllBytes(path);
        return bytes.Length == HmacKey.MinimumBytes
            ? bytes
            : throw new InvalidOperationException($"{path} is not a demo key of {HmacKey.MinimumBytes} bytes; delete it and a new one is made.");
    }
}
