using OKLA.ML.Datasets;
using OKLA.ML.Models.Frames;

namespace OKLA.Tests.Modules.ML.Models;

public sealed class EvenSampleTests
{
    [Test]
    public void Everything_is_kept_once_while_there_is_room()
    {
        var sample = new EvenSample<string>(3);
        sample.Add(7, "first");
        sample.Add(7, "again");
        sample.Add(2, "other");

        sample.Items.ShouldBe(["first", "other"], ignoreOrder: true);
    }

    [Test]
    public void Of_many_the_sample_is_the_same_in_any_order_and_comes_from_all_times_alike()
    {
        var (forward, backward) = (new EvenSample<int>(1_000), new EvenSample<int>(1_000));
        for (var i = 0; i < 100_000; i++)
        {
            forward.Add(StableHash.Mixed(1, (ulong)i), i);
            forward.Add(StableHash.Mixed(1, (ulong)(i / 2)), i / 2);
            backward.Add(StableHash.Mixed(1, (ulong)(99_999 - i)), 99_999 - i);
        }

        forward.Items.Count.ShouldBe(1_000);
        forward.Items.ShouldBe(backward.Items, ignoreOrder: true);
        // A tenth of them from each tenth of the time: 100, give or take four standard deviations of 9.5.
        forward.Items.GroupBy(i => i / 10_000).Select(tenth => tenth.Count()).ShouldAllBe(count => count > 62 && count < 138);
    }
}
