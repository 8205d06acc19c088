using OKLA.Host.Auth;

namespace OKLA.Tests.Host.Auth;

internal sealed class ApiKeyTests
{
    [Test]
    public void A_generated_key_is_taken_apart_again_and_no_two_are_alike()
    {
        var (id, text, hash) = ApiKey.Generate();
        ApiKey.TryParse(text, out var parsedId, out var parsedHash).ShouldBeTrue();
        parsedId.ShouldBe(id);
        parsedHash.ShouldBe(hash);
        ApiKey.Generate().Text.ShouldNotBe(text);
    }

    // SHA-256 of 32 zero bytes, as sha256sum prints it.
    [Test]
    public void The_hash_is_sha_256_of_the_secrets_bytes()
    {
        ApiKey.TryParse("okla_0123456789abcdef_" + new string('0', 64), out _, out var hash).ShouldBeTrue();
        Convert.ToHexStringLower(hash).ShouldBe("66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925");
    }

    [TestCase("https://okla.com.do", "https://okla.com.do")]
    [TestCase("https://OKLA.com.do/", "https://okla.com.do")]
    [TestCase("https://okla.com.do:443", "https://okla.com.do")]
    [TestCase("http://localhost:5173", "http://localhost:5173")]
    [TestCase("https://añil.do", "https://xn--ail-7ma.do")]
    [TestCase("https://okla.com.do/page", null)]
    [TestCase("https://user@okla.com.do", null)]
    [TestCase("https://okla.com.do/?q", null)]
    [TestCase("https://okla.com.do/#f", null)]
    [TestCase("ftp://okla.com.do", null)]
    [TestCase("null", null)]
    [TestCase("*", null)]
    [TestCase("okla.com.do", null)]
    public void An_origin_is_what_browsers_send(string text, string? origin) => ApiKey.NormalizeOrigin(text).ShouldBe(origin);
}
