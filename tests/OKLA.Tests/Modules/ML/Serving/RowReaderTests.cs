using System.Text.Json;
using OKLA.ML.Serving;

namespace OKLA.Tests.Modules.ML.Serving;

public class RowReaderTests
{
    private static readonly ModelSignature Signature = new("binary", [new("Partner", "boolean", Categories: ["No", "Yes"]), new("active", "boolean"), new("age", "number")], ["No", "Yes"]);

    [TestCase("\"Yes\"", "Yes")]
    [TestCase("\"yes\"", "Yes")]
    [TestCase("true", "Yes")]
    [TestCase("1", "Yes")]
    [TestCase("\"false\"", "No")]
    [TestCase("\"sí\"", "Yes")]
    public void A_yes_or_no_is_taken_in_any_words_and_told_in_those_learned_from(string sent, string expected) => Read($$"""{"Partner":{{sent}}}""").Row[0].ShouldBe(expected);

    [Test]
    public void A_flag_without_words_of_its_own_is_true_or_false() => Read("""{"active":"si"}""").Row[1].ShouldBe("true");

    [Test]
    public void What_is_neither_yes_nor_no_is_named_by_the_inputs_own_name()
    {
        var (_, errors) = Read("""{"Partner":"maybe"}""");

        errors.Keys.ShouldBe(["rows[0].Partner"]);
        errors["rows[0].Partner"].ShouldBe(["No or Yes, or true or false."]);
    }

    private static (string?[] Row, Dictionary<string, string[]> Errors) Read(string json)
    {
        var into = new ReadRows([], [], []);
        using var body = JsonDocument.Parse(json);
        return (RowReader.Read(Signature, RowReader.Places(Signature), body.RootElement, "rows[0]", into), into.Errors);
    }
}
