using OKLA.ML.Algorithms.Text;

namespace OKLA.ML.Algorithms.Tests.Text;

public sealed class SequenceTaggerTests
{
    [Test]
    public void A_tag_that_its_neighbour_decides_is_learned()
    {
        // The same word is a year behind "del" and a price behind "por": only the word before tells.
        TaggedSequence Of(string before, string tag) => new([[$"w={before}"], ["w=2000", $"before={before}"]], ["O", tag]);
        var tagger = SequenceTagger.Fit([Of("del", "B-year"), Of("por", "B-price"), Of("el", "O")], new SequenceTaggerOptions { HashBits = 12 });

        tagger.Tag(Of("del", "").Features).ShouldBe(["O", "B-year"]);
        tagger.Tag(Of("por", "").Features).ShouldBe(["O", "B-price"]);
        tagger.Tag(Of("el", "").Features).ShouldBe(["O", "O"]);
    }

    [Test]
    public void What_follows_in_a_name_never_comes_without_its_beginning()
    {
        TaggedSequence[] learned = [new([["a"], ["b"]], ["B-x", "I-x"]), new([["b"]], ["O"])];
        var tagger = SequenceTagger.Fit(learned, new SequenceTaggerOptions { HashBits = 10, Passes = 3 });

        foreach (var word in new[] { "a", "b", "c" })
        {
            foreach (var next in new[] { "a", "b", "c" })
            {
                var tags = tagger.Tag([[word], [next]]);
                tags[0].ShouldNotBe("I-x");
                (tags[1] == "I-x" && tags[0] == "O").ShouldBeFalse();
            }
        }
    }

    [Test]
    public void A_saved_tagger_tags_the_same_and_a_damaged_one_is_refused()
    {
        var tagger = SequenceTagger.Fit([new([["a"], ["b"]], ["B-x", "I-x"]), new([["c"]], ["O"])], new SequenceTaggerOptions { HashBits = 10 });
        using var stream = new MemoryStream();
        tagger.Save(stream);
        var bytes = stream.ToArray();

        SequenceTagger.Load(new MemoryStream(bytes)).Tag([["a"], ["b"], ["c"]]).ShouldBe(tagger.Tag([["a"], ["b"], ["c"]]));
        bytes[^40] ^= 1;
        Should.Throw<InvalidDataException>(() => SequenceTagger.Load(new MemoryStream(bytes)));
    }

    [Test]
    public void Nothing_to_learn_from_and_tags_that_do_not_fit_are_refused()
    {
        Should.Throw<ArgumentException>(() => SequenceTagger.Fit([]));
        Should.Throw<ArgumentException>(() => SequenceTagger.Fit([new([["a"]], ["O", "O"])]));
    }
}
