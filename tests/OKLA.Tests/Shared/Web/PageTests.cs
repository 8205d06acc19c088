using FsCheck;
using FsCheck.Fluent;
using OKLA.Shared.Web;

namespace OKLA.Tests.Shared.Web;

public sealed class PageTests
{
    private static Page<int> Read(int[] sorted, PageRequest request)
    {
        request.TryKey(out (int Value, string Text)? after).ShouldBeTrue();
        return sorted.Where(i => after is null || i > after.Value.Value).Take(request.Rows).ToArray().ToPage(request, i => (i, $"#{i}"));
    }

    [Test]
    public void Following_the_cursors_reads_every_row_once_in_order() => Prop.ForAll(
        ArbMap.Default.ArbFor<int[]>(), Gen.Choose(1, 7).ToArbitrary(), (values, size) =>
        {
            var sorted = values.Distinct().Order().ToArray();
            var read = new List<int>();
            string? cursor = null;
            do
            {
                var page = Read(sorted, new(size, cursor));
                page.Items.Count.ShouldBeLessThanOrEqualTo(size);
                read.AddRange(page.Items);
                cursor = page.Next;
            }
            while (cursor is not null);
            read.ShouldBe(sorted);
        }).QuickCheckThrowOnFailure();

    [TestCase("%%%")]
    [TestCase("AAAA")]
    [TestCase("bnVsbA")]
    public void A_cursor_that_is_not_ours_is_told(string cursor) => new PageRequest(10, cursor).TryKey(out long? _).ShouldBeFalse();

    [Test]
    public void An_absent_cursor_is_the_beginning()
    {
        new PageRequest().TryKey(out long? key).ShouldBeTrue();
        key.ShouldBeNull();
    }

    [TestCase(null, 50)]
    [TestCase(7, 7)]
    [TestCase(5000, 200)]
    [TestCase(-1, 1)]
    public void The_size_stays_within_bounds(int? limit, int size) => new PageRequest(limit).Size.ShouldBe(size);
}
