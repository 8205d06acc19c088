using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;
using OKLA.Tracking.Retention;
using OKLA.Tracking.Schemas;

namespace OKLA.Tests.Modules.Tracking.Retention;

public sealed class RetentionTests : HostTest
{
    private const string Her = "maría-\"77\"";
    private const string Phone = "telefono-de-ella";
    private const string Words = "quiero la roja de la esquina";
    private static readonly string Folder = Directory.CreateTempSubdirectory("okla-archive-").FullName;

    protected override string[] Settings => ["--Archive:Folder", Folder, "--Retention:Enabled", "true", "--Retention:LowDays", "30", "--Retention:NormalDays", "90", "--Retention:HighDays", "90"];

    [OneTimeTearDown]
    public void DeleteFiles() => Directory.Delete(Folder, recursive: true);

    [Test]
    public async Task An_erased_person_is_in_no_file_any_more_and_the_counts_stay()
    {
        using var admin = await SignInAsync("admin");
        var old = DateTimeOffset.Parse("2025-01-01T10:00:00Z", System.Globalization.CultureInfo.InvariantCulture);
        await AppendAsync(
            Event(null, "car-1", Phone, old), Event(Her, "car-1", Phone, old), Event(Her, "car-2", null, old.AddDays(1)), Event(Her, "car-2", "computadora-de-casa", old.AddDays(1)),
            Event("otro", "car-1", "computadora-de-casa", old.AddDays(1), "otra cosa"), Event("otro", "car-3", null, old.AddDays(2), "la recomienda", mentions: Her), Event("nadie", "car-9", null, old.AddYears(1), "nada"));
        await Service<Subscriptions>().CatchUpAsync();
        // The host's own daily run may be at work beside it: what counts is that all are in files, once.
        await Service<IMessageBus>().InvokeAsync<ArchiveReport>(new ArchiveEvents());
        await FinishedAsync();
        // A run that looks for more of a day names a file first and drops it when there is nothing.
        (await Service<Archive>().ListAsync()).Where(file => file is not { State: ArchiveState.Exporting, Events: 0 }).Select(file => (file.State, file.Events)).ShouldBe([(ArchiveState.Done, 2), (ArchiveState.Done, 3), (ArchiveState.Done, 1), (ArchiveState.Done, 1)]);
        FilesWith("mar", Phone, Words).ShouldBeGreaterThan(0);
        var export = await admin.GetFromJsonAsync<JsonElement>($"/api/privacy/subjects/{Uri.EscapeDataString(Her)}");
        // Those in files, and the two links of her visitors, which stay in the log.
        export.GetProperty("events").EnumerateArray().CountBy(item => item.GetProperty("type").GetString()!).ToDictionary().ShouldBe(new Dictionary<string, int> { ["contacted"] = 4, ["person_linked"] = 2 }, ignoreOrder: true);
        export.GetRawText().ShouldContain(Words);

        using var answer = await admin.DeleteAsync($"/api/privacy/subjects/{Uri.EscapeDataString(Her)}");

        var receipt = await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>();
        (receipt.GetProperty("ownEvents").GetInt32(), receipt.GetProperty("mentions").GetInt32()).ShouldBe((6, 1));
        FilesWith("maría", Phone, Words, "quiero").ShouldBe(0);
        FilesWith("otra cosa").ShouldBe(1);
        var archives = await admin.GetFromJsonAsync<JsonElement>("/api/admin/events/archives");
        Directory.EnumerateFiles(Folder, "*.gz").Select(Path.GetFileName).Order().ShouldBe(archives.EnumerateArray().Select(file => file.GetProperty("file").GetString()).Order());
        Directory.EnumerateFiles(Folder).Count().ShouldBe(8);
        (await ScalarAsync<long>("select count(*) from events.doomed_files")).ShouldBe(0);

        // They come back without her, under her streams' new names, and only once.
        foreach (var file in archives.EnumerateArray())
        {
            foreach (var expected in new[] { file.GetProperty("events").GetInt64(), 0 })
            {
                using var loaded = await admin.PostAsync($"/api/admin/events/archives/{file.GetProperty("id").GetString()}/load", null);
                (await loaded.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>()).GetProperty("events").GetInt64().ShouldBe(expected);
            }
        }

        (await ScalarAsync<long>("select count(*) from events.mt_events where type = 'contacted'")).ShouldBe(7);
        (await ScalarAsync<long>("select count(*) from events.mt_events where data ? 'erased' and data->>'itemId' in ('car-1', 'car-2') and not data ? 'userId'")).ShouldBe(4);
        (await ScalarAsync<long>($"select count(*) from events.mt_events e where position('{Phone}' in e::text) > 0 or position('mar' in e::text) > 0")).ShouldBe(0);
        (await ScalarAsync<long>("select count(*) from events.mt_streams s where s.version <> (select count(*) from events.mt_events e where e.stream_id = s.id)")).ShouldBe(0);
    }

    [Test]
    public async Task Only_an_admin_sees_archives_and_one_that_is_not_there_is_not_found()
    {
        using var admin = await SignInAsync("admin");
        using var buyer = await SignInAsync("buyer");

        (await Client.GetAsync("/api/admin/events/archives")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await buyer.GetAsync("/api/admin/events/archives")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await admin.PostAsync($"/api/admin/events/archives/{Guid.NewGuid()}/load", null)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Test]
    public void Days_go_by_type_then_by_value_and_what_is_no_behaviour_is_never_named()
    {
        var options = new RetentionOptions { Enabled = true, LowDays = 30, NormalDays = 90, Types = { ["page_viewed"] = 7, ["searched"] = 0 } };

        var rules = options.Rules(SchemaSet.BuiltIn, new DateOnly(2026, 6, 30));

        rules.Single(rule => rule.Types.Contains("page_viewed")).Before.ShouldBe(new DateOnly(2026, 6, 23));
        rules.SelectMany(rule => rule.Types).ShouldBeUnique();
        rules.SelectMany(rule => rule.Types).Where(type => type == "searched" || EventCatalogue.Types[type][^1].Tier == ValueTier.High).ShouldBeEmpty();
        rules.SelectMany(rule => rule.Types).ShouldBeSubsetOf(EventCatalogue.Types.Keys);
        new RetentionOptions { LowDays = 1 }.Rules(SchemaSet.BuiltIn, new DateOnly(2026, 6, 30)).ShouldBeEmpty();
        string[] never = [EventTypes.ItemListed, EventTypes.ItemUpdated, EventTypes.ItemPriceChanged, EventTypes.ItemSold, EventTypes.ItemWithdrawn, EventTypes.PersonLinked, EventTypes.PersonSplit, EventTypes.PersonErased];
        EventCatalogue.Types.Keys.Intersect(never).ShouldBeEmpty();
        foreach (var type in never)
        {
            new RetentionOptions { Types = { [type] = 30 } }.Validate(new(options)).Single().ErrorMessage!.ShouldContain(type);
        }
    }

    private async Task AppendAsync(params StreamEvent[] events)
    {
        await using var connection = await Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await Service<EventLog>().AppendAsync(transaction, events);
        await transaction.CommitAsync();
    }

    private static StreamEvent Event(string? user, string item, string? anonymous, DateTimeOffset at, string? words = null, string? mentions = null) => new(
        BehaviourEvent.StreamOf(anonymous, user),
        NewEvent.Of("contacted", new BehaviourEvent(anonymous, user, null, item, null, JsonSerializer.SerializeToElement(new { channel = "chat", comment = words ?? Words, about = mentions })), at) with { KnownAt = at });

    /// <summary>How many files hold one of the texts, unpacked, in any way that JSON could spell it.</summary>
    private static int FilesWith(params string[] texts) => Directory.EnumerateFiles(Folder, "*.gz").Count(path =>
    {
        using var gzip = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
        using var reader = new StreamReader(gzip, Encoding.UTF8);
        var content = reader.ReadToEnd();
        var spelled = string.Join('\n', content.Split('\n', StringSplitOptions.RemoveEmptyEntries).SelectMany(line => Strings(JsonDocument.Parse(line).RootElement)));
        return texts.Any(text => content.Contains(text, StringComparison.Ordinal) || spelled.Contains(text, StringComparison.Ordinal));
    });

    private static IEnumerable<string> Strings(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => [element.GetString()!],
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Strings),
        JsonValueKind.Object => element.EnumerateObject().SelectMany(field => Strings(field.Value).Append(field.Name)),
        _ => [],
    };

    /// <summary>Waits until the host's own run, which may have begun a file in the same moment, has taken its own away again.</summary>
    private async Task FinishedAsync()
    {
        for (var waited = 0; waited < 200 && (await Service<Archive>().ListAsync()).Any(file => file.State != ArchiveState.Done); waited++)
        {
            await Service<IMessageBus>().InvokeAsync<ArchiveReport>(new ArchiveEvents());
            await Task.Delay(100);
        }
    }
}
