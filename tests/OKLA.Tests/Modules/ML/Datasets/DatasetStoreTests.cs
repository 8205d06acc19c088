using System.IO.Compression;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OKLA.ML;
using OKLA.ML.Datasets;
using OKLA.ML.Registry;

namespace OKLA.Tests.Modules.ML.Datasets;

public sealed class DatasetStoreTests : DatabaseTest
{
    [Test]
    public async Task A_packed_file_that_unpacks_out_of_all_proportion_is_refused()
    {
        var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            var lines = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("0,0\n", 1 << 18)));
            for (var i = 0; i < 66; i++)
            {
                gzip.Write(lines);
            }
        }

        packed.Position = 0;
        using var store = Store(new Room.StillClock(DateTimeOffset.UnixEpoch));

        (await Should.ThrowAsync<DatasetRefusedException>(store.AddAsync("bomb", packed, default))).Status.ShouldBe(413);
    }

    [Test]
    public async Task A_version_grows_stale_without_being_touched()
    {
        var clock = new Room.StillClock(new DateTimeOffset(2024, 1, 10, 0, 0, 0, TimeSpan.Zero));
        using var store = Store(clock);
        await store.PutRulesAsync("fresh", [new QualityRule("fresh", "day", Max: 30)], default);
        var version = await store.AddAsync("fresh", TableTests.Utf8("day,n\n2024-01-01,1\n2024-01-09,2\n"), default);
        (await store.BlockersAsync(version, default)).ShouldBeEmpty();

        using var later = Store(new Room.StillClock(new DateTimeOffset(2024, 3, 1, 0, 0, 0, TimeSpan.Zero)));

        (await later.BlockersAsync(version, default)).ShouldHaveSingleItem().ShouldContain("52.0 days old");
    }

    [Test]
    public async Task A_new_version_is_compared_with_the_one_before()
    {
        using var store = Store(new Room.StillClock(DateTimeOffset.UnixEpoch));
        string Rows(int from, string fuel) => "price,fuel\n" + string.Concat(Enumerable.Range(0, 500).Select(i => $"{from + (i * 31 % 500)},{(i % 2 == 0 ? "Diesel" : fuel)}\n"));
        await store.AddAsync("drift", TableTests.Utf8(Rows(1_000, "Gasolina")), default);
        await store.PutRulesAsync("drift", [new QualityRule("drift", "price", Max: 0.2), new QualityRule("no-new-values", "fuel", Severity: "warn")], default);

        var shifted = await store.AddAsync("drift", TableTests.Utf8(Rows(1_400, "Eléctrico")), default);

        (await store.BlockersAsync(shifted, default)).ShouldHaveSingleItem().ShouldContain("stability index of 'price'");
        var record = (await store.RecordAsync("drift", 2, default))!;
        record.Quality.Findings.Select(finding => (finding.Rule, finding.Passed)).ShouldBe([("drift", false), ("no-new-values", false)]);
    }

    [Test]
    public async Task What_was_said_of_columns_holds_for_later_versions_as_far_as_it_can()
    {
        using var store = Store(new Room.StillClock(DateTimeOffset.UnixEpoch));
        await store.AddAsync("said", TableTests.Utf8("target,bought,zone,size\n" + string.Concat(Enumerable.Range(0, 40).Select(i => $"{i % 2},{i % 3 % 2},{i % 4},{i % 5}\n"))), default);
        var record = (await store.RecordAsync("said", 1, default))!;
        record.Version.Columns[0].Role.ShouldBe("target");
        record = await store.EditAsync(record, new Dictionary<string, ColumnEdit> { ["bought"] = new(null, "target"), ["zone"] = new("category", null), ["size"] = new("number", null) }, default);
        record.Version.Columns.Select(column => column.Role).ShouldBe(["feature", "target", "feature", "feature"]);

        var next = await store.AddAsync("said", TableTests.Utf8("target,bought,zone,size\n" + string.Concat(Enumerable.Range(0, 40).Select(i => $"{i % 2},{i % 3 % 2},{i % 4},size {i % 5}x\n"))), default);

        next.Columns.Select(column => (column.Type, column.Role)).ShouldBe([("boolean", "feature"), ("boolean", "target"), ("category", "feature"), ("category", "feature")]);
    }

    [Test]
    public async Task A_table_too_large_for_memory_is_not_read_into_it()
    {
        var options = new MLOptions { Datasets = new DatasetLimits { MaxTrainingCells = 1_000 } };
        using var store = Store(new Room.StillClock(DateTimeOffset.UnixEpoch), options);
        var version = await store.AddAsync("large", TableTests.Utf8("a,b\n" + string.Concat(Enumerable.Repeat("1,2\n", 600))), default);

        await Should.ThrowAsync<DatasetRefusedException>(store.ReadAsync(version, default));
    }

    [Test]
    public async Task Content_that_two_data_sets_share_stays_until_both_let_it_go()
    {
        using var store = Store(new Room.StillClock(DateTimeOffset.UnixEpoch));
        var (one, two) = (await store.AddAsync("one", TableTests.Utf8("a,b\n5,6\n"), default), await store.AddAsync("two", TableTests.Utf8("a;b\n5;6\n"), default));
        one.Sha256.ShouldBe(two.Sha256);

        (await store.DeleteAsync(one, default)).ShouldBeEmpty();
        (await store.ReadAsync(two, default)).Columns[1].Values.ShouldBe(["6"]);
        await store.DeleteAsync(two, default);

        (await ScalarAsync<long>($"select count(*) from ml.blobs where sha256 = '{one.Sha256}'")).ShouldBe(0);
    }

    [Test]
    public async Task Ten_thousand_columns_go_through()
    {
        using var store = Store(new Room.StillClock(DateTimeOffset.UnixEpoch));
        var text = new StringBuilder(string.Join(',', Enumerable.Range(0, 10_000).Select(i => $"c{i}"))).Append('\n');
        for (var row = 0; row < 5; row++)
        {
            text.AppendJoin(',', Enumerable.Range(0, 10_000).Select(i => (i * row) % 17)).Append('\n');
        }

        var version = await store.AddAsync("wide", TableTests.Utf8(text.ToString()), default);

        (version.Rows, version.Columns.Count).ShouldBe((5L, 10_000));
    }

    private DatasetStore Store(TimeProvider clock, MLOptions? options = null)
    {
        var settings = Options.Create(options ?? new MLOptions());
        return new DatasetStore(Database, new BlobStore(Database, settings, clock), settings, clock, NullLogger<DatasetStore>.Instance);
    }
}
