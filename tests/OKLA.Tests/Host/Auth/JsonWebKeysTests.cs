using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using OKLA.Host.Auth;

namespace OKLA.Tests.Host.Auth;

internal sealed class JsonWebKeysTests
{
    private static readonly Trust Trust = new(Tokens.Issuer, Tokens.Audience);

    [Test]
    public void Keys_that_cannot_check_our_algorithms_are_named_and_left_out()
    {
        using var rsa = RSA.Create(2048);
        using var weak = RSA.Create(1024);
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var ec384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var offCurve = Tokens.Jwk(ec, "off the curve");
        offCurve["y"] = offCurve["x"]!.DeepClone();

        var set = JsonWebKeys.Parse(
            Encoding.UTF8.GetBytes(Tokens.Set(
                Tokens.Jwk(rsa, "good"),
                With(Tokens.Jwk(rsa, "encrypts"), "use", "enc"),
                With(Tokens.Jwk(rsa, "signs only"), "key_ops", new JsonArray("sign")),
                With(Tokens.Jwk(rsa, "other algorithm"), "alg", "PS256"),
                With(Tokens.Jwk(rsa, "padded"), "e", "AQAB=="),
                With(Tokens.Jwk(rsa, "even exponent"), "e", "BA"),
                With(Tokens.Jwk(rsa, "exponent one"), "e", "AQ"),
                With(Tokens.Jwk(rsa, "even modulus"), "n", Base64Url.EncodeToString([.. Enumerable.Repeat((byte)0xFE, 256)])),
                Tokens.Jwk(weak, "weak"),
                Tokens.Jwk(ec384, "wrong curve", "P-384"),
                Tokens.Jwk(ec384, "curve that lies"),
                offCurve,
                Tokens.Jwk(new string('x', 31), "short"),
                With(Tokens.Jwk(rsa, "unknown type"), "kty", "OKP"))),
            Trust, allowSecrets: true);

        set.Keys.Select(key => (key.Id, key.Algorithm)).ShouldBe([("good", "RS256")]);
        set.Unfit.Count.ShouldBe(13);
    }

    [Test]
    public void A_secret_counts_only_where_nobody_else_reads_it()
    {
        var document = Encoding.UTF8.GetBytes(Tokens.Set(Tokens.Jwk(Tokens.Secret, "1")));
        JsonWebKeys.Parse(document, Trust, allowSecrets: true).Keys.ShouldHaveSingleItem().Algorithm.ShouldBe("HS256");
        Should.Throw<FormatException>(() => JsonWebKeys.Parse(document, Trust, allowSecrets: false));
    }

    [Test]
    public void Random_numbers_are_a_key_or_a_clear_refusal()
    {
        var numbers = Gen.Choose(0, 300).SelectMany(length => Gen.Choose(0, 255).Select(value => (byte)value).ArrayOf(length)).Select(bytes => Base64Url.EncodeToString(bytes));
        var keys = from first in numbers
                   from second in Gen.OneOf(numbers, Gen.Constant("AQAB"))
                   from type in Gen.Elements("\"kty\":\"RSA\"", "\"kty\":\"EC\",\"crv\":\"P-256\"")
                   select $"{{\"keys\":[{{{type},\"n\":\"{first}\",\"e\":\"{second}\",\"x\":\"{first}\",\"y\":\"{second}\"}}]}}";
        Prop.ForAll(keys.ToArbitrary(), document =>
        {
            try
            {
                var key = JsonWebKeys.Parse(Encoding.UTF8.GetBytes(document), Trust, allowSecrets: false).Keys.Single();
                return !key.Verify("signed"u8, new byte[256]) && !key.Verify("signed"u8, [.. Enumerable.Repeat((byte)0xFF, 256)]);
            }
            catch (FormatException)
            {
                return true;
            }
        }).QuickCheckThrowOnFailure();
    }

    [TestCase("")]
    [TestCase("[]")]
    [TestCase("{}")]
    [TestCase("{\"keys\":7}")]
    [TestCase("{\"keys\":[7,null,\"x\",{}]}")]
    [TestCase("{\"keys\":[{\"kty\":\"oct\",\"kty\":\"RSA\"}]}")]
    public void What_is_no_key_set_is_refused(string document) =>
        Should.Throw<FormatException>(() => JsonWebKeys.Parse(Encoding.UTF8.GetBytes(document), Trust, allowSecrets: true));

    private static JsonObject With(JsonObject jwk, string member, JsonNode value)
    {
        jwk[member] = value;
        return jwk;
    }
}
