using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using OKLA.Host.Auth;
using OKLA.Shared.Web;

namespace OKLA.Tests.Host.Auth;

/// <summary>Every way in which a token is refused, through the whole pipeline. In Development, so that the answer names the reason.</summary>
internal sealed class JwtBearerHandlerTests
{
    private readonly RSA rsa = RSA.Create(2048);
    private readonly RSA strangerRsa = RSA.Create(2048);
    private readonly ECDsa ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly ECDsa ec384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
    private string folder = "";
    private AuthApp app = null!;

    private DateTimeOffset Now => app.Time.GetUtcNow();

    private JsonObject Claims => Tokens.Claims(Now);

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        folder = Directory.CreateTempSubdirectory("okla-jwt-").FullName;
        var file = Path.Combine(folder, "keys.json");
        await File.WriteAllTextAsync(file, Tokens.Set(Tokens.Jwk(rsa, "rsa"), Tokens.Jwk(ec, "ec"), Tokens.Jwk(Tokens.Secret + "file", "oct")));
        var settings = AuthApp.HmacSettings;
        settings["Auth:JwksFile"] = file;
        settings["Auth:RoleNames:vendedor"] = "dealer";
        app = await AuthApp.StartAsync("Development", settings);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await app.DisposeAsync();
        Directory.Delete(folder, recursive: true);
        rsa.Dispose();
        strangerRsa.Dispose();
        ec.Dispose();
        ec384.Dispose();
    }

    [Test]
    public async Task A_good_token_of_each_algorithm_signs_in()
    {
        foreach (var token in (string[])[Tokens.Hs256(Claims), Tokens.Hs256(Claims, "oct", Tokens.Secret + "file"), Tokens.Rs256(Claims, rsa, "rsa"), Tokens.Es256(Claims, ec, "ec")])
        {
            var answer = await app.SendAsync("/buyer", token);
            answer.Status.ShouldBe(HttpStatusCode.OK);
            answer["id"].ShouldBe("user-1");
            answer["role"].ShouldBe("Buyer");
        }
    }

    // The example of RFC 7515 appendix A.1, its key and its signature; its 1300819380 is long past, so it is refused as expired,
    // which is only ever looked at after the signature was found good.
    [Test]
    public void The_example_of_rfc_7515_has_a_good_signature()
    {
        StrictBase64Url.TryDecode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow", out var secret).ShouldBeTrue();
        Jwt.TryParse(
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9" +
            ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ" +
            ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            out var jwt).ShouldBe(Refusal.None);
        jwt!.Check([new HmacKey(null, secret, new Trust("joe", "okla"))], new AuthOptions(), Now, out _).ShouldBe(Refusal.WrongAudience);
        jwt.Check([new HmacKey(null, [.. secret.Reverse()], new Trust("joe", "okla"))], new AuthOptions(), Now, out _).ShouldBe(Refusal.BadSignature);
    }

    // The example of RFC 7515 appendix A.3 (ES256).
    [Test]
    public void The_es256_example_of_rfc_7515_has_a_good_signature()
    {
        StrictBase64Url.TryDecode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", out var x).ShouldBeTrue();
        StrictBase64Url.TryDecode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", out var y).ShouldBeTrue();
        Jwt.TryParse(
            "eyJhbGciOiJFUzI1NiJ9" +
            ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ" +
            ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
            out var jwt).ShouldBe(Refusal.None);
        jwt!.Check([new EcKey(null, x, y, new Trust("joe", "okla"))], new AuthOptions(), Now, out _).ShouldBe(Refusal.WrongAudience);
    }

    [Test]
    public async Task A_dealers_token_carries_the_dealer()
    {
        var answer = await app.SendAsync("/dealer", Tokens.Hs256(With(claims => (claims["role"], claims["dealer_id"]) = ("vendedor", "dealer-7"))));
        (answer.Status, answer["role"], answer["dealerId"]).ShouldBe((HttpStatusCode.OK, "Dealer", "dealer-7"));
    }

    [Test]
    public async Task Roles_may_come_as_an_array_and_unknown_ones_mean_nothing()
    {
        var roles = With(claims =>
        {
            claims.Remove("role");
            claims["roles"] = new JsonArray("offline_access", "admin", "buyer");
        });
        (await app.SendAsync("/admin", Tokens.Hs256(roles)))["role"].ShouldBe("Admin");
        (await app.SendAsync("/buyer", Tokens.Hs256(With(claims => claims["role"] = "Buyer")))).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await app.SendAsync("/buyer", Tokens.Hs256(With(claims => claims.Remove("role"))))).Status.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Test]
    public async Task Scopes_of_a_token_count_but_the_admin_scope_does_not()
    {
        var token = Tokens.Hs256(With(claims => claims["scope"] = "openid events:write admin"));
        var answer = await app.SendAsync("/events:write", token, HttpMethod.Post);
        answer.Status.ShouldBe(HttpStatusCode.OK);
        answer.Body["scopes"]!.AsArray().Select(scope => (string?)scope).ShouldBe(["events:write"]);
        (await app.SendAsync("/admin", token)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await app.SendAsync("/predict", token, HttpMethod.Post)).Status.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Test]
    public async Task Alg_none_is_refused()
    {
        foreach (var none in (string[])["none", "None", "NONE", "nOnE"])
        {
            var unsigned = $"{Tokens.Encode(Tokens.Header(none, null).ToJsonString())}.{Tokens.Encode(Claims.ToJsonString())}.";
            await Refused(unsigned, Refusal.AlgorithmNotAllowed);
            await Refused(Tokens.Make(Tokens.Header(none, null).ToJsonString(), Claims.ToJsonString(), Tokens.Hmac(Tokens.Secret)), Refusal.AlgorithmNotAllowed);
        }
    }

    [Test]
    public Task An_empty_signature_is_refused() =>
        Refused($"{Tokens.Encode(Tokens.Header("HS256", null).ToJsonString())}.{Tokens.Encode(Claims.ToJsonString())}.", Refusal.BadSignature);

    [TestCase("HS384")]
    [TestCase("HS512")]
    [TestCase("RS512")]
    [TestCase("PS256")]
    [TestCase("ES384")]
    [TestCase("EdDSA")]
    [TestCase("hs256")]
    public Task Other_algorithms_are_refused(string algorithm) =>
        Refused(Tokens.Make(Tokens.Header(algorithm, null).ToJsonString(), Claims.ToJsonString(), Tokens.Hmac(Tokens.Secret)), Refusal.AlgorithmNotAllowed);

    [Test]
    public async Task HS256_signed_with_the_RSA_public_key_is_refused()
    {
        foreach (var secret in (byte[][])[rsa.ExportSubjectPublicKeyInfo(), rsa.ExportRSAPublicKey(), Encoding.UTF8.GetBytes(rsa.ExportSubjectPublicKeyInfoPem()), rsa.ExportParameters(false).Modulus!])
            await Refused(Tokens.Make(Tokens.Header("HS256", "rsa").ToJsonString(), Claims.ToJsonString(), bytes => HMACSHA256.HashData(secret, bytes)), Refusal.AlgorithmNotOfKey);
    }

    [Test]
    public async Task A_key_of_one_algorithm_never_checks_another()
    {
        await Refused(Tokens.Make(Tokens.Header("RS256", "ec").ToJsonString(), Claims.ToJsonString(), Tokens.Hmac(Tokens.Secret)), Refusal.AlgorithmNotOfKey);
        await Refused(Tokens.Make(Tokens.Header("ES256", null).ToJsonString(), Claims.ToJsonString(), Tokens.Hmac(Tokens.Secret)), Refusal.AlgorithmNotOfKey);
    }

    [Test]
    public async Task ES256_signed_on_a_wrong_curve_is_refused()
    {
        await Refused(Tokens.Es256(Claims, ec384, "ec"), Refusal.BadSignature);
        // Cut to the right length it still is no signature of this key.
        await Refused(
            Tokens.Make(Tokens.Header("ES256", "ec").ToJsonString(), Claims.ToJsonString(), bytes => ec384.SignData(bytes, HashAlgorithmName.SHA256)[..64]), Refusal.BadSignature);
    }

    [Test]
    public Task ES256_in_DER_form_is_refused() =>
        Refused(
            Tokens.Make(
                Tokens.Header("ES256", "ec").ToJsonString(), Claims.ToJsonString(),
                bytes => ec.SignData(bytes, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)),
            Refusal.BadSignature);

    [Test]
    public async Task Signatures_beyond_the_keys_modulus_or_order_are_refused()
    {
        foreach (var fill in (byte[])[0x00, 0x01, 0xFF])
        {
            await Refused(Tokens.Make(Tokens.Header("RS256", "rsa").ToJsonString(), Claims.ToJsonString(), _ => Filled(256, fill)), Refusal.BadSignature);
            await Refused(Tokens.Make(Tokens.Header("ES256", "ec").ToJsonString(), Claims.ToJsonString(), _ => Filled(64, fill)), Refusal.BadSignature);
        }

        await Refused(Tokens.Make(Tokens.Header("RS256", "rsa").ToJsonString(), Claims.ToJsonString(), _ => rsa.ExportParameters(false).Modulus!), Refusal.BadSignature);

        static byte[] Filled(int length, byte fill) => [.. Enumerable.Repeat(fill, length)];
    }

    [Test]
    public async Task RS256_by_another_key_or_with_another_padding_is_refused()
    {
        await Refused(Tokens.Rs256(Claims, strangerRsa, "rsa"), Refusal.BadSignature);
        await Refused(
            Tokens.Make(
                Tokens.Header("RS256", "rsa").ToJsonString(), Claims.ToJsonString(), bytes => rsa.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pss)),
            Refusal.BadSignature);
    }

    [Test]
    public Task A_key_offered_in_the_tokens_own_header_is_never_used()
    {
        var header = Tokens.Header("RS256", "mine");
        header["jwk"] = Tokens.Jwk(strangerRsa, "mine");
        header["jku"] = "https://evil.test/keys.json";
        return Refused(Tokens.Rs256(Claims, strangerRsa, "mine", header), Refusal.UnknownKey);
    }

    [Test]
    public async Task An_expired_token_is_refused_after_the_clock_skew()
    {
        var edge = Now.ToUnixTimeSeconds() - 30;
        await Refused(Tokens.Hs256(With(claims => claims["exp"] = edge)), Refusal.Expired, "token_expired");
        (await app.SendAsync("/buyer", Tokens.Hs256(With(claims => claims["exp"] = edge + 1)))).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Test]
    public async Task A_token_not_yet_valid_is_refused_before_the_clock_skew()
    {
        var edge = Now.ToUnixTimeSeconds() + 30;
        await Refused(Tokens.Hs256(With(claims => claims["nbf"] = edge + 1)), Refusal.NotYetValid);
        (await app.SendAsync("/buyer", Tokens.Hs256(With(claims => claims["nbf"] = edge)))).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Test]
    public Task A_token_issued_in_the_future_is_refused() =>
        Refused(Tokens.Hs256(With(claims => claims["iat"] = Now.ToUnixTimeSeconds() + 31)), Refusal.IssuedInTheFuture);

    [Test]
    public Task A_token_without_expiry_is_refused() => Refused(Tokens.Hs256(With(claims => claims.Remove("exp"))), Refusal.BadClaims);

    [TestCase("\"1893456000\"")]
    [TestCase("true")]
    [TestCase("null")]
    [TestCase("-1")]
    [TestCase("1e400")]
    [TestCase("253402300800")]
    [TestCase("[1893456000]")]
    [TestCase("{}")]
    public Task An_expiry_that_is_no_time_is_refused(string expiry)
    {
        var payload = Claims.ToJsonString().Replace($"\"exp\":{Now.ToUnixTimeSeconds() + 600}", $"\"exp\":{expiry}", StringComparison.Ordinal);
        payload.ShouldContain(expiry);
        return Refused(Tokens.Make(Tokens.Header("HS256", null).ToJsonString(), payload, Tokens.Hmac(Tokens.Secret)), Refusal.BadClaims);
    }

    [Test]
    public async Task A_wrong_audience_is_refused()
    {
        await Refused(Tokens.Hs256(With(claims => claims["aud"] = "another")), Refusal.WrongAudience);
        await Refused(Tokens.Hs256(With(claims => claims["aud"] = new JsonArray("another", "OKLA"))), Refusal.WrongAudience);
        await Refused(Tokens.Hs256(With(claims => claims["aud"] = new JsonArray())), Refusal.WrongAudience);
        await Refused(Tokens.Hs256(With(claims => claims.Remove("aud"))), Refusal.WrongAudience);
        (await app.SendAsync("/buyer", Tokens.Hs256(With(claims => claims["aud"] = new JsonArray("another", "okla"))))).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Test]
    public async Task A_wrong_issuer_is_refused()
    {
        await Refused(Tokens.Hs256(With(claims => claims["iss"] = Tokens.Issuer + "/")), Refusal.WrongIssuer);
        await Refused(Tokens.Hs256(With(claims => claims.Remove("iss"))), Refusal.WrongIssuer);
        await Refused(Tokens.Hs256(With(claims => claims["iss"] = new JsonArray(Tokens.Issuer))), Refusal.BadClaims);
    }

    [Test]
    public Task The_configured_issuers_key_cannot_speak_for_the_demo_issuer() =>
        Refused(Tokens.Hs256(With(claims => claims["iss"] = "okla-demo")), Refusal.WrongIssuer);

    [Test]
    public async Task A_token_without_a_clean_subject_is_refused()
    {
        await Refused(Tokens.Hs256(With(claims => claims.Remove("sub"))), Refusal.BadClaims);
        foreach (var subject in (JsonNode[])["", "a\u0000b", "a\nb", new string('a', 257), 7, new JsonArray("user-1")])
            await Refused(Tokens.Hs256(With(claims => claims["sub"] = subject.DeepClone())), Refusal.BadClaims);
    }

    [Test]
    public async Task A_tampered_payload_is_refused()
    {
        var parts = Tokens.Hs256(Claims).Split('.');
        await Refused($"{parts[0]}.{Tokens.Encode(With(claims => claims["role"] = "admin").ToJsonString())}.{parts[2]}", Refusal.BadSignature);
    }

    [Test]
    public async Task Any_flipped_character_is_refused()
    {
        var token = Tokens.Rs256(Claims, rsa, "rsa");
        for (var i = 0; i < token.Length; i++)
        {
            var flipped = token[..i] + (token[i] == 'A' ? 'B' : 'A') + token[(i + 1)..];
            (await app.SendAsync("/buyer", flipped)).Status.ShouldBe(HttpStatusCode.Unauthorized, $"character {i}");
        }
    }

    [Test]
    public async Task An_oversized_token_is_refused()
    {
        var fits = With(claims => claims["pad"] = "");
        var room = (8192 - Tokens.Hs256(fits).Length) * 3 / 4;
        fits["pad"] = new string('x', room - 3);
        var token = Tokens.Hs256(fits);
        token.Length.ShouldBeInRange(8180, 8192);
        (await app.SendAsync("/buyer", token)).Status.ShouldBe(HttpStatusCode.OK);
        fits["pad"] = new string('x', room + 3);
        await Refused(Tokens.Hs256(fits), Refusal.TokenTooLarge);
    }

    [TestCase("")]
    [TestCase(".")]
    [TestCase("..")]
    [TestCase("a.b")]
    [TestCase("a.b.c.d")]
    [TestCase("a.b.c.d.e")]
    [TestCase("not a token")]
    public async Task What_has_not_three_parts_is_refused(string token)
    {
        var answer = await app.SendAsync("/buyer", token);
        (answer.Status, answer.Code).ShouldBe((HttpStatusCode.Unauthorized, "token_invalid"));
    }

    [Test]
    public async Task Malformed_base64_is_refused()
    {
        var parts = Tokens.Hs256(Claims).Split('.');
        foreach (var signature in (string[])[parts[2] + "=", parts[2] + "AA", parts[2].Insert(9, " "), parts[2].Replace(parts[2][5], '+'), parts[2].Replace(parts[2][5], '/'), parts[2].Insert(3, "%41")])
            await Refused($"{parts[0]}.{parts[1]}.{signature}", Refusal.TokenMalformed);
        await Refused($"{parts[0]}=.{parts[1]}.{parts[2]}", Refusal.TokenMalformed);
    }

    [Test]
    public Task A_second_spelling_of_a_good_signature_is_refused()
    {
        // 32 bytes take 43 characters; the last carries two unused bits, so three other characters would decode to the same bytes.
        const string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        var token = Tokens.Hs256(Claims);
        return Refused(token[..^1] + alphabet[alphabet.IndexOf(token[^1]) + 1], Refusal.TokenMalformed);
    }

    [TestCase("""{"alg":"HS256","alg":"none"}""")]
    [TestCase("""{"alg":"HS256","\u0061lg":"none"}""")]
    [TestCase("""{"alg":"HS256",}""")]
    [TestCase("""{"alg":"HS256"} {}""")]
    [TestCase("""{"alg":"HS256"/*,*/}""")]
    [TestCase("""{"alg":["HS256"]}""")]
    [TestCase("""{"alg":"HS256","kid":7}""")]
    [TestCase("""{"alg":"HS256","kid":""}""")]
    [TestCase("""{"alg":"HS256","kid":"\u0000"}""")]
    [TestCase("""{"alg":"HS256","kid":"\ud800"}""")]
    [TestCase("""{"alg":"HS256","a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{}}}}}}}}}""")]
    [TestCase("""["HS256"]""")]
    [TestCase("\"HS256\"")]
    [TestCase("null")]
    [TestCase("\uFEFF{\"alg\":\"HS256\"}")]
    public Task A_header_that_two_readers_could_read_differently_is_refused(string header) =>
        Refused(Tokens.Make(header, Claims.ToJsonString(), Tokens.Hmac(Tokens.Secret)), Refusal.TokenMalformed);

    [Test]
    public Task A_header_without_algorithm_is_refused() =>
        Refused(Tokens.Make("{}", Claims.ToJsonString(), Tokens.Hmac(Tokens.Secret)), Refusal.AlgorithmNotAllowed);

    [Test]
    public async Task Duplicate_claims_are_refused()
    {
        var text = Claims.ToJsonString();
        foreach (var payload in (string[])[text[..^1] + ",\"sub\":\"admin\"}", text[..^1] + ",\"\\u0073ub\":\"admin\"}", "[" + text + "]", text + text, text[..^1] + ",}"])
            await Refused(Tokens.Make(Tokens.Header("HS256", null).ToJsonString(), payload, Tokens.Hmac(Tokens.Secret)), Refusal.BadClaims);
    }

    [Test]
    public async Task Crit_is_refused()
    {
        foreach (var member in (string[])["\"crit\":[\"exp\"]", "\"crit\":[]", "\"crit\":null", "\"b64\":false"])
            await Refused(Tokens.Make($"{{\"alg\":\"HS256\",{member}}}", Claims.ToJsonString(), Tokens.Hmac(Tokens.Secret)), Refusal.CriticalHeader);
    }

    [Test]
    public async Task A_token_made_for_another_use_is_refused()
    {
        foreach (var type in (string[])["logout+jwt", "dpop+jwt", "JOSE"])
            await Refused(Tokens.Make($"{{\"alg\":\"HS256\",\"typ\":\"{type}\"}}", Claims.ToJsonString(), Tokens.Hmac(Tokens.Secret)), Refusal.WrongTokenType);
        var access = Tokens.Make("{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}", Claims.ToJsonString(), Tokens.Hmac(Tokens.Secret));
        (await app.SendAsync("/buyer", access)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Test]
    public async Task An_unknown_kid_is_refused()
    {
        await Refused(Tokens.Hs256(Claims, "gone"), Refusal.UnknownKey);
        await Refused(Tokens.Hs256(Claims, "../../etc/passwd"), Refusal.UnknownKey);
        await Refused(Tokens.Hs256(Claims, "' or 1=1 --"), Refusal.UnknownKey);
    }

    [Test]
    public async Task Two_authorization_headers_are_refused()
    {
        var token = Tokens.Hs256(Claims);
        var answer = await app.SendAsync("/buyer", token, headers: [("Authorization", "Bearer " + token)]);
        (answer.Status, answer.Reason).ShouldBe((HttpStatusCode.Unauthorized, nameof(Refusal.MalformedHeader)));
    }

    [Test]
    public async Task The_scheme_may_be_written_in_any_case_and_other_schemes_are_nobody()
    {
        (await app.SendAsync("/buyer", headers: [("Authorization", "bearer " + Tokens.Hs256(Claims))])).Status.ShouldBe(HttpStatusCode.OK);
        (await app.SendAsync("/buyer", headers: [("Authorization", "Basic dTpw")])).Code.ShouldBe("credentials_missing");
        (await app.SendAsync("/buyer", headers: [("Authorization", "Bearerx" + Tokens.Hs256(Claims))])).Code.ShouldBe("credentials_missing");
    }

    [Test]
    public async Task Nobody_is_asked_to_sign_in()
    {
        var answer = await app.SendAsync("/buyer");
        (answer.Status, answer.Code, answer.Reason, answer.MediaType).ShouldBe((HttpStatusCode.Unauthorized, "credentials_missing", null, "application/problem+json"));
        answer.Challenge.ShouldBe("Bearer realm=\"okla\"");
    }

    [Test]
    public async Task An_endpoint_for_anyone_takes_nobody_but_no_refused_credential()
    {
        var nobody = await app.SendAsync("/anonymous");
        (nobody.Status, nobody["role"], nobody["id"]).ShouldBe((HttpStatusCode.OK, "Anonymous", null));
        (await app.SendAsync("/anonymous", Tokens.Hs256(Claims)))["id"].ShouldBe("user-1");
        await Refused(Tokens.Hs256(With(claims => claims["exp"] = 1)), Refusal.Expired, "token_expired", "/anonymous");
    }

    [Test]
    public async Task Outside_Development_the_answer_does_not_tell_why()
    {
        await using var production = await AuthApp.StartAsync("Production", AuthApp.HmacSettings);
        var claims = Tokens.Claims(production.Time.GetUtcNow());
        claims["aud"] = "another";
        var audience = await production.SendAsync("/buyer", Tokens.Hs256(claims));
        var signature = await production.SendAsync("/buyer", Tokens.Hs256(claims, secret: new string('x', 32)));
        audience.Body.Remove("traceId");
        signature.Body.Remove("traceId");
        audience.Body.ToJsonString().ShouldBe(signature.Body.ToJsonString());
        audience.Code.ShouldBe("token_invalid");
        audience.Challenge.ShouldBe("Bearer realm=\"okla\", error=\"invalid_token\"");
    }

    [TestCase("buyer", "/buyer")]
    [TestCase("dealer", "/dealer")]
    [TestCase("admin", "/buyer /dealer /admin")]
    public async Task A_role_opens_its_own_doors_and_admin_opens_all(string role, string open)
    {
        var token = Tokens.Hs256(With(claims => claims["role"] = role));
        foreach (var path in (string[])["/buyer", "/dealer", "/admin"])
        {
            var answer = await app.SendAsync(path, token);
            answer.Status.ShouldBe(open.Split(' ').Contains(path) ? HttpStatusCode.OK : HttpStatusCode.Forbidden, path);
            if (answer.Status == HttpStatusCode.Forbidden) answer.Code.ShouldBe("forbidden");
        }

        foreach (var scope in Policies.Scopes.All.Where(scope => scope != Policies.Scopes.Admin))
            (await app.SendAsync("/" + scope, token, HttpMethod.Post)).Status.ShouldBe(role == "admin" ? HttpStatusCode.OK : HttpStatusCode.Forbidden, scope);
    }

    private JsonObject With(Action<JsonObject> change)
    {
        var claims = Claims;
        change(claims);
        return claims;
    }

    private async Task Refused(string token, Refusal reason, string code = "token_invalid", string path = "/buyer")
    {
        var answer = await app.SendAsync(path, token);
        (answer.Status, answer.Reason, answer.Code).ShouldBe((HttpStatusCode.Unauthorized, reason.ToString(), code));
        answer.Challenge.ShouldContain("error=\"invalid_token\"");
        answer.MediaType.ShouldBe("application/problem+json");
    }
}
