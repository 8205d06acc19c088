using FsCheck;
using FsCheck.Fluent;
using OKLA.Host.Auth;

namespace OKLA.Tests.Host.Auth;

/// <summary>Nothing that anybody sends signs in by luck or brings an answer of the 5xx kind.</summary>
internal sealed class CredentialFuzzTests
{
    private AuthApp app = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => app = await AuthApp.StartAsync("Production", AuthApp.HmacSettings);

    [OneTimeTearDown]
    public async Task StopAsync() => await app.DisposeAsync();

    [Test]
    public void A_random_authorization_header_is_refused() =>
        Prop.ForAll<string>(text => Status("Authorization", text) == 401 && Status("Authorization", "Bearer " + text) == 401)
            .Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    [Test]
    public void A_random_api_key_is_refused() =>
        Prop.ForAll<string>(text => Status(ApiKeyHandler.Header, text) == 401 && Status(ApiKeyHandler.Header, "okla_0123456789abcdef_" + text) == 401)
            .Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    [Test]
    public void A_good_token_with_a_piece_replaced_is_refused()
    {
        var good = Tokens.Hs256(Tokens.Claims(app.Time.GetUtcNow()));
        var changes = (from start in Gen.Choose(0, good.Length - 1)
                       from length in Gen.Choose(0, good.Length - start)
                       from piece in ArbMap.Default.GeneratorFor<string>()
                       select good[..start] + piece + good[(start + length)..]).Where(text => text != good);
        Prop.ForAll(changes.ToArbitrary(), text => Status("Authorization", "Bearer " + text) == 401).Check(Config.QuickThrowOnFailure.WithMaxTest(300));
    }

    // Signed by the right key, so these get as far as any can: random headers and claims must still bring an orderly answer.
    [Test]
    public void Signed_nonsense_brings_an_orderly_answer()
    {
        var json = Gen.Elements(
            "{}", "[]", "null", "true", "0", "-0", "1e308", "1e400", "\"\"", "\"x\"", "\"\\ud800\"", "\"\\u0000\"", "\"HS256\"", "\"okla\"", "\"admin\"",
            $"\"{Tokens.Issuer}\"", "[\"admin\",7]", "{\"a\":{\"a\":1}}", "4102444800", "99999999999999999999", "\"\u00e9\"", "tru", "");
        var names = Gen.Elements("alg", "typ", "kid", "crit", "iss", "aud", "sub", "exp", "nbf", "iat", "role", "roles", "scope", "dealer_id", "\\u0061lg", "x");
        var members = from name in names from value in json select $"\"{name}\":{value}";
        var objects = members.ListOf().Select(list => $"{{{string.Join(',', list)}}}");
        var goodHeaders = members.ListOf().Select(list => $"{{{string.Join(',', list.Prepend("\"alg\":\"HS256\""))}}}");
        var goodClaims = members.ListOf().Select(list =>
            Tokens.Claims(app.Time.GetUtcNow()).ToJsonString()[..^1] + string.Concat(list.Select(member => "," + member)) + "}");
        var tokens = from header in Gen.OneOf(objects, goodHeaders, Gen.Constant("{\"alg\":\"HS256\"}"))
                     from claims in Gen.OneOf(objects, goodClaims, json)
                     select Tokens.Make(header, claims, Tokens.Hmac(Tokens.Secret));
        Prop.ForAll(tokens.ToArbitrary(), token => Status("Authorization", "Bearer " + token) is 200 or 401 or 403).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));
    }

    private int Status(string header, string? value) => app.StatusAsync("/buyer", header, value ?? "").GetAwaiter().GetResult();
}
