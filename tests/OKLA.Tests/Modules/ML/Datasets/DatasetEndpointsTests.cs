using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using OKLA.ML.Datasets;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;

namespace OKLA.Tests.Modules.ML.Datasets;

// It looks for files left in the folder of temporary ones, which all classes share.
[NonParallelizable]
public sealed class DatasetEndpointsTests : HostTest
{
    private const string Cars = "make,year,price,sold\nToyota,2019,12500,yes\nHonda,2020,,no\nKia,2018,\"9,800\",no\n";
    private static readonly string[] Before = Directory.GetFiles(Path.GetTempPath(), TemporaryFile.OwnPrefix + "*");
    private static int names;
    private HttpClient admin = null!;

    protected override string[] Settings => ["--ML:Datasets:MaxBytes", "40000000", "--ML:Datasets:MaxColumns", "500"];

    [OneTimeSetUp]
    public async Task SignInAsync() => admin = await SignInAsync("admin");

    [OneTimeTearDown]
    public void SignOut() => admin.Dispose();

    [Test]
    public async Task Nobody_but_an_admin_sees_or_sends_tables()
    {
        using var buyer = await SignInAsync("buyer");

        (await Client.GetAsync("/api/ml/datasets")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await buyer.GetAsync("/api/ml/datasets")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await buyer.PostAsync("/api/ml/datasets/cars", Csv(Cars))).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Test]
    public async Task The_same_table_is_the_same_version_however_it_comes()
    {
        var name = Name();
        var first = await SendAsync(name, Csv(Cars), HttpStatusCode.Created);
        first.GetProperty("number").GetInt32().ShouldBe(1);
        first.GetProperty("rows").GetInt64().ShouldBe(3);
        var json = """
            {"make":"Toyota","year":2019,"price":12500,"sold":"yes"}
            {"make":"Honda","sold":"no","price":null,"year":2020}

            {"make":"Kia","year":2018,"price":"9,800","sold":"no"}
            """;

        foreach (var again in new[]
        {
            Csv(Cars), Csv(Cars.Replace("\n", "\r\n", StringComparison.Ordinal)), Csv("\uFEFF" + Cars), Csv(Cars.Replace("\"9,800\"", "\u0001", StringComparison.Ordinal).Replace(',', ';').Replace("\u0001", "9,800", StringComparison.Ordinal)),
            Body(Packed(Encoding.UTF8.GetBytes(Cars)), "application/gzip"), Body([.. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes(Cars)], "text/csv"),
            Body(Encoding.BigEndianUnicode.GetBytes(Cars), "text/csv", "utf-16be"), Body(Encoding.UTF8.GetBytes(json), "application/x-ndjson"), Body(Encoding.UTF8.GetBytes(json), "application/octet-stream"),
        })
        {
            var answer = await SendAsync(name, again, HttpStatusCode.OK);
            (answer.GetProperty("number").GetInt32(), answer.GetProperty("isNew").GetBoolean()).ShouldBe((1, false));
        }

        (await SendAsync(name, Csv(Cars + "Ford,2021,20000,yes\n"), HttpStatusCode.Created)).GetProperty("number").GetInt32().ShouldBe(2);
        (await GetAsync($"/api/ml/datasets/{name}")).GetProperty("versions").EnumerateArray().Select(version => version.GetProperty("number").GetInt32()).ShouldBe([2, 1]);
        (await GetAsync("/api/ml/datasets")).GetProperty("datasets").EnumerateArray().Single(set => set.GetProperty("name").GetString() == name).GetProperty("versionCount").GetInt32().ShouldBe(2);
    }

    [Test]
    public async Task A_request_packed_on_its_way_is_unpacked()
    {
        var body = Body(Packed(Encoding.UTF8.GetBytes(Cars)), "text/csv");
        body.Headers.ContentEncoding.Add("gzip");

        (await SendAsync(Name(), body, HttpStatusCode.Created)).GetProperty("rows").GetInt64().ShouldBe(3);
    }

    [Test]
    public async Task Letters_of_old_files_come_out_right()
    {
        var answer = await SendAsync(Name(), Body(Encoding.Latin1.GetBytes("color,n\nmarrón,1\ncaña,2\nmarrón,3\n"), "text/csv"), HttpStatusCode.Created);

        answer.GetProperty("columns")[0].GetProperty("categories").EnumerateArray().Select(value => value.GetString()).ShouldBe(["marrón", "caña"]);
    }

    [Test]
    public async Task A_table_without_header_gets_names_by_place_and_one_with_a_nameless_column_too()
    {
        var name = Name();
        var answer = await SendAsync(name, Csv("1;2\n3;4\n"), HttpStatusCode.Created, "?header=false");
        answer.GetProperty("columns").EnumerateArray().Select(column => column.GetProperty("name").GetString()).ShouldBe(["column 1", "column 2"]);
        answer.GetProperty("rows").GetInt64().ShouldBe(2);

        answer = await SendAsync(name, Csv("a,b,\n1,2,\n3,4,\n"), HttpStatusCode.Created);
        answer.GetProperty("columns")[2].GetProperty("name").GetString().ShouldBe("column 3");
        answer.GetProperty("columns")[2].GetProperty("role").GetString().ShouldBe("ignored");
    }

    [Test]
    public async Task Objects_within_objects_become_columns_and_lists_stay()
    {
        var name = Name();
        await SendAsync(name, Body("""{"price":{"amount":5,"currency":"USD"},"tags":["a","b"],"ok":true}"""u8.ToArray(), "application/x-ndjson"), HttpStatusCode.Created);

        var page = await GetAsync($"/api/ml/datasets/{name}/versions/1/rows");
        page.GetProperty("columns").EnumerateArray().Select(column => column.GetString()).ShouldBe(["price.amount", "price.currency", "tags", "ok"]);
        page.GetProperty("rows")[0].EnumerateArray().Select(cell => cell.GetString()).ShouldBe(["5", "USD", """["a","b"]""", "true"]);
    }

    public static IEnumerable<TestCaseData> Refused()
    {
        static TestCaseData Of(string what, byte[] body, string says, string type = "text/csv", string? charset = null) => new TestCaseData(body, type, charset, says).SetArgDisplayNames(what);
        static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);
        yield return Of("empty", [], "empty");
        yield return Of("blank", Text("\n\n"), "empty");
        yield return Of("header only", Text("a,b\n"), "no rows");
        yield return Of("ragged", Text("a,b\n1,2\n3\n"), "Row 2 is one field");
        yield return Of("too long", Text("a,b\n1,2\n3,4,5\n"), "Row 2 has 3 fields where there are 2 columns");
        yield return Of("quote never closed", Text("a,b\n1,2\n\"3,4\n5,6\n"), "quotes");
        yield return Of("huge line", Text("a,b\n1,\"" + new string('x', 2_000_000) + "\n"), "row");
        yield return Of("same name twice", Text("a,b,a\n1,2,3\n"), "Columns 1 and 3 are both named 'a'");
        yield return Of("many columns", Text(string.Join(',', Enumerable.Range(0, 501)) + "\n"), "501 columns; at most 500");
        yield return Of("long name", Text(new string('n', 300) + ",b\n1,2\n"), "longer than 200");
        yield return Of("zero byte", Text("a,b\n1,\0\n"), "Byte 7 is zero");
        yield return Of("utf-16 without a mark", Encoding.Unicode.GetBytes("a,b\n1,2\n"), "UTF-16");
        yield return Of("not the encoding said", Encoding.Latin1.GetBytes("a,b\nñ,2\n"), "Not UTF-8", charset: "utf-8");
        yield return Of("damaged gzip", [.. Packed(Text(string.Concat(Enumerable.Repeat("a,b\n", 500))))[..20]], "gzip");
        yield return Of("zip", [(byte)'P', (byte)'K', 3, 4, 0, 0], "ZIP");
        yield return Of("array", Text("[{\"a\":1}]"), "one object a line", "application/x-ndjson");
        yield return Of("not json", Text("{\"a\":1}\n{\"a\":\n"), "Line 2 is not valid JSON", "application/x-ndjson");
        yield return Of("no object", Text("{\"a\":1}\n5\n"), "Line 2 is no JSON object", "application/x-ndjson");
        yield return Of("zero character", Text("{\"a\":\"\\u0000\"}\n"), "U+0000", "application/x-ndjson");
        yield return Of("half a character", Text("{\"a\":\"\\ud800\"}\n"), "no Unicode", "application/x-ndjson");
        yield return Of("bytes that are no text", [.. "{\"a\":\""u8, 0xFF, .. "\"}\n"u8], "no Unicode", "application/x-ndjson");
        yield return Of("long line", Text("{\"a\":\"" + new string('x', 1_100_000) + "\"}\n"), "Line 1 is longer", "application/x-ndjson");
        yield return Of("many names", Text("{" + string.Join(',', Enumerable.Range(0, 501).Select(i => $"\"n{i}\":1")) + "}\n"), "more than 500", "application/x-ndjson");
        yield return Of("json without names", Text("{}\n"), "empty", "application/x-ndjson");
    }

    [TestCaseSource(nameof(Refused))]
    public async Task What_is_no_table_is_refused_with_the_reason(byte[] body, string type, string? charset, string says)
    {
        var name = Name();

        var problem = await SendAsync(name, Body(body, type, charset), HttpStatusCode.BadRequest);

        problem.GetProperty("errors").GetProperty("body")[0].GetString()!.ShouldContain(says);
        (await admin.GetAsync($"/api/ml/datasets/{name}")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        LeftFiles().ShouldBeEmpty();
    }

    [Test]
    public async Task A_table_larger_than_allowed_is_refused_packed_or_not()
    {
        var rows = Encoding.UTF8.GetBytes("a,b\n" + string.Concat(Enumerable.Repeat(new string('x', 4_000) + ",1\n", 10_500)));

        (await SendAsync(Name(), Body(rows, "text/csv"), HttpStatusCode.RequestEntityTooLarge)).GetProperty("field").GetString().ShouldBe("body");
        await SendAsync(Name(), Body(Packed(rows), "application/gzip"), HttpStatusCode.RequestEntityTooLarge);
        LeftFiles().ShouldBeEmpty();
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_table_larger_than_other_requests_may_be_goes_through(bool packed)
    {
        // Kestrel's bound is 30,000,000 bytes.
        var rows = Encoding.UTF8.GetBytes("a,b\n" + string.Concat(Enumerable.Repeat($"{new string('x', 4_000)},{(packed ? 1 : 2)}\n", 8_000)));
        var body = Body(packed ? Packed(rows) : rows, "text/csv");
        if (packed)
        {
            body.Headers.ContentEncoding.Add("gzip");
        }

        (await SendAsync(Name(), body, HttpStatusCode.Created)).GetProperty("rows").GetInt64().ShouldBe(8_000);
    }

    [TestCase("Cars")]
    [TestCase("my cars")]
    [TestCase("coches_2024")]
    [TestCase("ñ")]
    public async Task A_name_is_lower_case_letters_digits_and_dashes(string name)
    {
        (await SendAsync(Uri.EscapeDataString(name), Csv(Cars), HttpStatusCode.BadRequest)).GetProperty("errors").TryGetProperty("name", out _).ShouldBeTrue();
        (await SendAsync(new string('a', 101), Csv(Cars), HttpStatusCode.BadRequest)).GetProperty("errors").TryGetProperty("name", out _).ShouldBeTrue();
    }

    [Test]
    public async Task Two_uploads_of_a_name_at_once_get_a_number_each_and_the_same_table_one()
    {
        var name = Name();

        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => admin.PostAsync($"/api/ml/datasets/{name}", Csv(Cars + $"Ford,{2000 + (i / 2)},1,no\n"))));

        answers.Count(answer => answer.StatusCode == HttpStatusCode.Created).ShouldBe(3);
        answers.Count(answer => answer.StatusCode == HttpStatusCode.OK).ShouldBe(3);
        (await GetAsync($"/api/ml/datasets/{name}")).GetProperty("versions").EnumerateArray().Select(version => version.GetProperty("number").GetInt32()).ShouldBe([3, 2, 1]);
    }

    [Test]
    public async Task A_sender_who_goes_away_leaves_nothing()
    {
        var name = Name();
        using var gone = new CancellationTokenSource();
        var sending = admin.PostAsync($"/api/ml/datasets/{name}", new StalledContent(Encoding.UTF8.GetBytes(Cars)), gone.Token);
        await UntilAsync(() => LeftFiles().Length > 0);

        await gone.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(sending);
        await UntilAsync(() => LeftFiles().Length == 0);
        (await admin.GetAsync($"/api/ml/datasets/{name}")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Test]
    public async Task Rows_come_by_offset_and_the_download_is_the_table()
    {
        var name = Name();
        var sha256 = (await SendAsync(name, Csv(Cars), HttpStatusCode.Created)).GetProperty("sha256").GetString();

        var page = await GetAsync($"/api/ml/datasets/{name}/versions/1/rows?offset=1&limit=1");
        page.GetProperty("total").GetInt64().ShouldBe(3);
        page.GetProperty("rows").EnumerateArray().ShouldHaveSingleItem().EnumerateArray().Select(cell => cell.GetString()).ShouldBe(["Honda", "2020", null, "no"]);
        (await GetAsync($"/api/ml/datasets/{name}/versions/1/rows?offset=99")).GetProperty("rows").GetArrayLength().ShouldBe(0);
        (await admin.GetAsync($"/api/ml/datasets/{name}/versions/1/rows?limit=1001")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);

        var data = await admin.GetByteArrayAsync($"/api/ml/datasets/{name}/versions/1/data");
        Encoding.UTF8.GetString(data).ShouldBe(Cars);
        Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(data)).ShouldBe(sha256);
    }

    [TestCase("/versions/9")]
    [TestCase("/versions/9/profile")]
    [TestCase("/versions/9/rows")]
    [TestCase("/versions/9/data")]
    [TestCase("/versions/0")]
    public async Task What_is_not_there_is_404(string path) => (await admin.GetAsync($"/api/ml/datasets/nothing{path}")).StatusCode.ShouldBe(HttpStatusCode.NotFound);

    [Test]
    public async Task Columns_can_be_corrected_beside_what_was_inferred()
    {
        var name = Name();
        await SendAsync(name, Csv(Cars), HttpStatusCode.Created);

        var answer = await PatchAsync(name, """{"year":{"type":"category","role":"group"},"sold":{"role":"target"}}""", HttpStatusCode.OK);

        var year = answer.GetProperty("columns")[1];
        (year.GetProperty("type").GetString(), year.GetProperty("inferredType").GetString(), year.GetProperty("role").GetString()).ShouldBe(("category", "number", "group"));
        year.GetProperty("categories").GetArrayLength().ShouldBe(3);
        (await GetAsync($"/api/ml/datasets/{name}/versions/1/profile")).GetProperty("columns")[3].GetProperty("role").GetString().ShouldBe("target");
        (await PatchAsync(name, """{"year":{"type":""}}""", HttpStatusCode.OK)).GetProperty("columns")[1].GetProperty("type").GetString().ShouldBe("number");
    }

    [TestCase("""{"colour":{"role":"target"}}""", "colour")]
    [TestCase("""{"year":{"type":"integer"}}""", "year.type")]
    [TestCase("""{"year":{"role":"boss"}}""", "year.role")]
    [TestCase("""{"year":{"role":"target"},"price":{"role":"target"}}""", "price.role")]
    [TestCase("""{"make":{"role":"time"}}""", "make.role")]
    [TestCase("""{"make":{"role":"weight"}}""", "make.role")]
    [TestCase("""{"make":{"type":"number"}}""", "make.type")]
    [TestCase("""{"make":null}""", "make")]
    public async Task A_correction_that_cannot_be_is_refused_at_its_column(string edits, string field)
    {
        var name = Name();
        await SendAsync(name, Csv(Cars), HttpStatusCode.Created);

        (await PatchAsync(name, edits, HttpStatusCode.BadRequest)).GetProperty("errors").EnumerateObject().Select(error => error.Name).ShouldContain(field);
        (await GetAsync($"/api/ml/datasets/{name}/versions/1")).GetProperty("columns").EnumerateArray().ShouldAllBe(column => column.GetProperty("type").GetString() == column.GetProperty("inferredType").GetString());
    }

    [Test]
    public async Task Rules_judge_the_newest_version_at_once_and_later_ones_as_they_come()
    {
        var name = Name();
        (await PutRulesAsync(name, """{"rules":[{"kind":"rows","min":4}]}""", HttpStatusCode.OK)).GetProperty("quality").ValueKind.ShouldBe(JsonValueKind.Null);
        (await SendAsync(name, Csv(Cars), HttpStatusCode.Created)).GetProperty("quality").GetString().ShouldBe("block");

        (await PutRulesAsync(name, """{"rules":[{"kind":"rows","min":3},{"kind":"unique","column":"make"},{"kind":"missing","column":"price","max":0.1,"severity":"warn"}]}""", HttpStatusCode.OK))
            .GetProperty("quality").GetString().ShouldBe("warn");
        var second = await SendAsync(name, Csv(Cars + "Kia,2022,1,no\n"), HttpStatusCode.Created);

        second.GetProperty("quality").GetString().ShouldBe("block");
        second.GetProperty("findings").EnumerateArray().Where(finding => !finding.GetProperty("passed").GetBoolean()).Select(finding => finding.GetProperty("rule").GetString()).ShouldBe(["unique", "missing"]);
        var store = Service<DatasetStore>();
        (await store.BlockersAsync((await store.FindAsync(name, null, default))!, default)).ShouldHaveSingleItem().ShouldContain("'make'");
        (await store.BlockersAsync((await store.FindAsync(name, 1, default))!, default)).ShouldBeEmpty();
        (await GetAsync($"/api/ml/datasets/{name}/rules")).GetProperty("rules").GetArrayLength().ShouldBe(3);
    }

    [TestCase("""{"rules":[{"kind":"rows","min":1},{"kind":"missing","max":0.1}]}""", "rules[1].column")]
    [TestCase("""{"rules":[{"kind":"luck"}]}""", "rules[0].kind")]
    public async Task A_rule_that_makes_no_sense_is_named(string rules, string field) =>
        (await PutRulesAsync(Name(), rules, HttpStatusCode.BadRequest)).GetProperty("errors").EnumerateObject().Select(error => error.Name).ShouldContain(field);

    [Test]
    public async Task A_version_that_a_model_learned_from_stays_and_another_goes_with_its_bytes()
    {
        var name = Name();
        await SendAsync(name, Csv(Cars + $"{name},1999,1,no\n"), HttpStatusCode.Created);
        await SendAsync(name, Csv(Cars + $"{name},2000,1,no\n"), HttpStatusCode.Created);
        var store = Service<DatasetStore>();
        var second = (await store.FindAsync(name, 2, default))!;
        await store.RecordUseAsync(second, "mi-modelo", 7, default);
        await store.RecordUseAsync(second, "mi-modelo", 7, default);

        var refused = await admin.DeleteAsync($"/api/ml/datasets/{name}/versions/2");
        refused.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await refused.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("models").EnumerateArray().ShouldHaveSingleItem().GetString().ShouldBe("mi-modelo 7");

        (await admin.DeleteAsync($"/api/ml/datasets/{name}/versions/1")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await admin.GetAsync($"/api/ml/datasets/{name}/versions/1")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await ScalarAsync<long>("select count(*) from ml.blobs b where not exists (select from ml.dataset_versions v where b.sha256 in (v.sha256, v.owners))")).ShouldBe(0);
        (await GetAsync($"/api/ml/datasets/{name}/versions/2")).GetProperty("models").EnumerateArray().ShouldHaveSingleItem().GetString().ShouldBe("mi-modelo 7");
    }

    [Test]
    public async Task The_number_of_a_deleted_version_is_not_given_again()
    {
        var name = Name();
        await SendAsync(name, Csv(Cars), HttpStatusCode.Created);
        await admin.DeleteAsync($"/api/ml/datasets/{name}/versions/1");

        (await SendAsync(name, Csv(Cars), HttpStatusCode.Created)).GetProperty("number").GetInt32().ShouldBe(2);
    }

    [Test]
    public async Task The_trainer_reads_the_cells_as_they_were_sent()
    {
        var store = Service<DatasetStore>();
        var version = await store.AddAsync(Name(), TableTests.Utf8(Cars), default);

        var table = await store.ReadAsync(version, default);

        table.Columns.Select(column => column.Name).ShouldBe(["make", "year", "price", "sold"]);
        table.Columns[2].Values.ShouldBe(["12500", null, "9,800"]);
        (await store.FindAsync(version.Dataset, 2, default)).ShouldBeNull();
        (await store.FindAsync(version.Dataset, null, default))!.Columns.ShouldBe(version.Columns);
    }

    [Test]
    public async Task Damaged_content_is_not_trained_on()
    {
        var store = Service<DatasetStore>();
        var version = await store.AddAsync(Name(), TableTests.Utf8(Cars + "Damaged,1,1,no\n"), default);
        await ExecuteAsync($"update ml.blob_chunks set bytes = set_byte(bytes, 30, (get_byte(bytes, 30) + 1) % 256) where blob = (select id from ml.blobs where sha256 = '{version.Sha256}')");

        await Should.ThrowAsync<InvalidDataException>(store.ReadAsync(version, default));
    }

    [Test]
    public async Task Events_become_a_table_by_type_time_and_path()
    {
        var name = Name();
        var day = new DateTimeOffset(2024, 5, 1, 12, 0, 0, TimeSpan.Zero);
        await Service<OKLA.Shared.EventLog.EventWriter>().WriteAsync(
            [.. Enumerable.Range(0, 4).Select(i => Room.Listed(Room.Car($"log-{i}", "Toyota", "Corolla", 2015 + i, 10_000 + i), day.AddDays(i))), Room.View("ana", "log-1", day)]);
        var request = """{"eventTypes":["item_listed"],"from":"2024-05-02T00:00:00Z","to":"2024-05-04T00:00:00Z","fields":{"id":"$.item.id","amount":"item.price.amount","image":"item.images[0]"}}""";

        var answer = await AnswerAsync(await admin.PostAsync($"/api/ml/datasets/{name}/from-log", Json(request)), HttpStatusCode.Created);

        answer.GetProperty("source").GetString().ShouldBe("log:item_listed");
        var page = await GetAsync($"/api/ml/datasets/{name}/versions/1/rows");
        page.GetProperty("columns").EnumerateArray().Select(column => column.GetString()).ShouldBe(["occurredAt", "eventType", "id", "amount", "image"]);
        page.GetProperty("rows").EnumerateArray().Select(row => row[2].GetString()).ShouldBe(["log-1", "log-2"]);
        page.GetProperty("rows")[0].EnumerateArray().Select(cell => cell.GetString()).ShouldBe(["2024-05-02T12:00:00.000Z", "item_listed", "log-1", "10001", null]);
    }

    [TestCase("""{"eventTypes":[],"fields":{"a":"b"}}""", "eventTypes")]
    [TestCase("""{"eventTypes":["nothing_such"],"fields":{"a":"b"}}""", "eventTypes")]
    [TestCase("""{"eventTypes":["item_listed"],"fields":{}}""", "fields")]
    [TestCase("""{"eventTypes":["item_listed"],"fields":{"a":"b[["}}""", "fields.a")]
    [TestCase("""{"eventTypes":["item_listed"],"fields":{"a":"b"},"from":"2024-05-02T00:00:00Z","to":"2024-05-01T00:00:00Z"}""", "from")]
    public async Task A_query_on_the_log_that_says_nothing_is_refused(string request, string field) =>
        (await AnswerAsync(await admin.PostAsync($"/api/ml/datasets/{Name()}/from-log", Json(request)), HttpStatusCode.BadRequest)).GetProperty("errors").EnumerateObject().Select(error => error.Name).ShouldContain(field);

    [Test]
    public async Task A_training_frame_becomes_a_table_with_its_label()
    {
        var name = Name();
        var features = (await GetAsync("/api/features")).GetProperty("features").EnumerateArray().Select(feature => feature.GetProperty("name").GetString()!).Where(feature => feature.StartsWith("user.", StringComparison.Ordinal)).Take(3).ToList();
        var at = TimeProvider.System.GetUtcNow().AddHours(-1);
        var frame = await Service<IMessageBus>().InvokeAsync<FrameInfo>(new BuildFrame([new SpineRow(at, 1, UserId: "ana"), new SpineRow(at, 0, UserId: "beto")], features, "test"));

        var answer = await AnswerAsync(await admin.PostAsync($"/api/ml/datasets/{name}/from-frame", Json($$"""{"frameId":"{{frame.Id}}"}""")), HttpStatusCode.Created);

        answer.GetProperty("source").GetString().ShouldBe($"frame:{frame.Id}");
        answer.GetProperty("columns").EnumerateArray().Select(column => column.GetProperty("name").GetString()).ShouldBe([.. features, "label"]);
        answer.GetProperty("columns").EnumerateArray().Last().GetProperty("role").GetString().ShouldBe("target");
        (await AnswerAsync(await admin.PostAsync($"/api/ml/datasets/{name}/from-frame", Json($$"""{"frameId":"{{Guid.NewGuid()}}"}""")), HttpStatusCode.BadRequest))
            .GetProperty("errors").TryGetProperty("frameId", out _).ShouldBeTrue();
    }

    [Test]
    public async Task The_lineage_leads_from_an_event_over_a_version_to_the_model()
    {
        var name = Name();
        await Service<OKLA.Shared.EventLog.EventWriter>().WriteAsync([Room.Listed(Room.Car("line-1", "Kia", "Rio", 2015, 9_000), new DateTimeOffset(2023, 5, 1, 12, 0, 0, TimeSpan.Zero))]);
        await AnswerAsync(await admin.PostAsync($"/api/ml/datasets/{name}/from-log", Json("""{"eventTypes":["item_listed"],"fields":{"id":"item.id"}}""")), HttpStatusCode.Created);
        var store = Service<DatasetStore>();
        await store.RecordUseAsync((await store.FindAsync(name, 1, default))!, "line-model", 3, default);

        var impact = await GetAsync($"/api/lineage/impact?node=dataset:{name}.1");
        impact.GetProperty("things").EnumerateArray().Select(thing => thing.GetProperty("node").GetString()).ShouldContain("model:line-model.3");
        impact = await GetAsync("/api/lineage/impact?node=event:item_listed");
        impact.GetProperty("things").EnumerateArray().Select(thing => thing.GetProperty("node").GetString()).ShouldContain($"dataset:{name}.1");
    }

    private static string Name() => $"cars-{Interlocked.Increment(ref names)}";

    /// <summary>Files of uploads that this process made since the tests began; other hosts on the machine have theirs.</summary>
    private static string[] LeftFiles() => [.. Directory.GetFiles(Path.GetTempPath(), TemporaryFile.OwnPrefix + "*").Except(Before)];

    private static ByteArrayContent Csv(string text) => Body(Encoding.UTF8.GetBytes(text), "text/csv");

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    private static ByteArrayContent Body(byte[] bytes, string type, string? charset = null) => new(bytes) { Headers = { ContentType = new MediaTypeHeaderValue(type, charset) } };

    private static byte[] Packed(byte[] bytes)
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(bytes);
        }

        return packed.ToArray();
    }

    private static async Task UntilAsync(Func<bool> holds)
    {
        for (var deadline = Environment.TickCount64 + 20_000; !holds(); await Task.Delay(20))
        {
            Environment.TickCount64.ShouldBeLessThan(deadline);
        }
    }

    private static async Task<JsonElement> AnswerAsync(HttpResponseMessage answer, HttpStatusCode status)
    {
        var text = await answer.Content.ReadAsStringAsync();
        answer.StatusCode.ShouldBe(status, text);
        return JsonSerializer.Deserialize<JsonElement>(text);
    }

    private async Task<JsonElement> SendAsync(string name, HttpContent body, HttpStatusCode status, string query = "") => await AnswerAsync(await admin.PostAsync($"/api/ml/datasets/{name}{query}", body), status);

    private async Task<JsonElement> PatchAsync(string name, string edits, HttpStatusCode status) => await AnswerAsync(await admin.PatchAsync($"/api/ml/datasets/{name}/versions/1/columns", Json(edits)), status);

    private async Task<JsonElement> PutRulesAsync(string name, string rules, HttpStatusCode status) => await AnswerAsync(await admin.PutAsync($"/api/ml/datasets/{name}/rules", Json(rules)), status);

    private async Task<JsonElement> GetAsync(string path) => await AnswerAsync(await admin.GetAsync(path), HttpStatusCode.OK);

    /// <summary>Sends a beginning and then nothing, until it is given up.</summary>
    private sealed class StalledContent(byte[] start) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.WriteAsync(start, cancellationToken);
            await stream.FlushAsync(cancellationToken);
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
