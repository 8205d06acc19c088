using System.Buffers.Text;
using FsCheck;
using FsCheck.Fluent;
using OKLA.Host.Auth;

namespace OKLA.Tests.Host.Auth;

internal sealed class StrictBase64UrlTests
{
    [Test]
    public void Whatever_is_encoded_is_decoded() =>
        Prop.ForAll<byte[]>(bytes => StrictBase64Url.TryDecode(Base64Url.EncodeToString(bytes), out var back) && back.AsSpan().SequenceEqual(bytes))
            .QuickCheckThrowOnFailure();

    [Test]
    public void Whatever_decodes_is_the_only_spelling_of_its_bytes()
    {
        var texts = Gen.Elements("AQZagz09-_/+= ".ToCharArray()).ArrayOf().Select(characters => new string(characters)).ToArbitrary();
        Prop.ForAll(texts, text => !StrictBase64Url.TryDecode(text, out var bytes) || Base64Url.EncodeToString(bytes) == text).QuickCheckThrowOnFailure();
    }

    // RFC 4648 section 10 gives "Zg==" for "f"; section 3.5 tells to refuse pad bits that are not zero.
    [TestCase("Zg", true)]
    [TestCase("Zh", false)]
    [TestCase("Zg==", false)]
    [TestCase("Zm8", true)]
    [TestCase("Zm9", false)]
    [TestCase("Z", false)]
    [TestCase("Zm9v", true)]
    [TestCase("Zm9vA", false)]
    [TestCase("Zm 9v", false)]
    [TestCase("Zm+v", false)]
    [TestCase("", true)]
    public void Only_the_one_right_spelling_decodes(string text, bool decodes) => StrictBase64Url.TryDecode(text, out _).ShouldBe(decodes);
}
