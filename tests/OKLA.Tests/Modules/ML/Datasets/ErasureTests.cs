using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OKLA.ML.Datasets;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.Tests.Modules.ML.Datasets;

/// <summary>An erased person leaves what was made from the log.</summary>
public sealed class ErasureTests : HostTest
{
    private const string Salt = "a-salt-";
    private static int positions;
    private HttpClient admin = null!;

    protected override string[] Settings => ["--ML:RefreshSeconds", "30"];

    [OneTimeSetUp]
    public async Task SignInAsync() => admin = await SignInAsync("admin");

    [OneTimeTearDown]
    public void SignOut() => admin.Dispose();

    [Test]
    public async Task Her_rows_leave_tables_of_the_log_that_do_not_name_her()
    {
        var day = Today.AddDays(-3);
        await Service<EventWriter>().WriteAsync([.. Enumerable.Range(0, 6).Select(i => Room.View(i % 2 == 0 ? "nadia" : "omar", $"car-{i}", day.AddMinutes(i)))]);
        var version = await MadeAsync("visits", """{"eventTypes":["item_viewed"],"fields":{"item":"itemId"},"to":"DAY"}""".Replace("DAY", $"{day.AddHours(1):O}", StringComparison.Ordinal));
        version.GetProperty("rows").GetInt64().ShouldBe(6);

        (await admin.DeleteAsync("/api/privacy/subjects/nadia")).EnsureSuccessStatusCode();
        await Service<Subscriptions>().CatchUpAsync();
        await DoneAsync();

        var left = await admin.GetFromJsonAsync<JsonElement>("/api/ml/datasets/visits/versions/1");
        (left.GetProperty("rows").GetInt64(), left.GetProperty("sha256").GetString() == version.GetProperty("sha256").GetString()).ShouldBe((3, false));
        var page = await admin.GetFromJsonAsync<JsonElement>("/api/ml/datasets/visits/versions/1/rows");
        page.GetProperty("rows").EnumerateArray().Select(row => row[2].GetString()).ShouldBe(["car-1", "car-3", "car-5"]);
        (await ScalarAsync<long>($"select count(*) from ml.blobs where sha256 = '{version.GetProperty("sha256").GetString()}'")).ShouldBe(0);
        (await admin.GetStringAsync("/api/lineage/impact?node=event:person_erased")).ShouldContain("dataset:visits.1");
    }

    [Test]
    public async Task Her_rows_leave_tables_of_frames()
    {
        var features = (await admin.GetFromJsonAsync<JsonElement>("/api/features")).GetProperty("features").EnumerateArray().Select(feature => feature.GetProperty("name").GetString()!)
            .Where(feature => feature.StartsWith("user.", StringComparison.Ordinal)).Take(2).ToList();
        var at = TimeProvider.System.GetUtcNow().AddHours(-1);
        var frame = await Service<IMessageBus>().InvokeAsync<FrameInfo>(new BuildFrame([new SpineRow(at, 1, UserId: "rosa"), new SpineRow(at, 0, UserId: "beto"), new SpineRow(at, 2, UserId: "rosa")], features, "test"));
        (await admin.PostAsJsonAsync("/api/ml/datasets/people/from-frame", new { frameId = frame.Id })).EnsureSuccessStatusCode();

        await EraseAsync("rosa");

        var page = await admin.GetFromJsonAsync<JsonElement>("/api/ml/datasets/people/versions/1/rows");
        page.GetProperty("rows").EnumerateArray().Select(row => row[2].GetString()).ShouldBe(["0"]);
    }

    [Test]
    public async Task A_table_that_is_all_hers_goes_and_what_others_made_stays()
    {
        var day = Today.AddDays(-2);
        await Service<EventWriter>().WriteAsync([Room.View("sola", "car-9", day)]);
        await MadeAsync("hers", $$"""{"eventTypes":["item_viewed"],"fields":{"item":"itemId","who":"anonymousId"},"from":"{{day.AddSeconds(-1):O}}","to":"{{day.AddSeconds(1):O}}"}""");
        (await admin.PostAsync("/api/ml/datasets/brought", new StringContent("who,amount\nsola,1\nana,2\n", Encoding.UTF8, "text/csv"))).EnsureSuccessStatusCode();

        await EraseAsync("sola");

        (await admin.GetAsync("/api/ml/datasets/hers/versions/1")).StatusCode.ShouldBe(System.Net.HttpStatusCode.NotFound);
        (await admin.GetFromJsonAsync<JsonElement>("/api/ml/datasets/brought/versions/1")).GetProperty("rows").GetInt64().ShouldBe(2);
    }

    [Test]
    public async Task Answers_questions_and_files_that_name_her_go()
    {
        await ExecuteAsync(""""
            insert into ml.predictions (request_id, row, at, model, source, inputs, value) values
                ('hers', 0, now(), 'm', 'model', '{"seller":"lola","age":"3"}', 1), ('key', 0, now(), 'm', 'model', '{"pair":"lola|car-1"}', 1), ('his', 0, now(), 'm', 'model', '{"seller":"pepe"}', 1);
            insert into ml.outcomes (request_id, row, value, at, known_at) values ('hers', 0, 1, now(), now()), ('his', 0, 1, now(), now());
            insert into ml.async_predictions (id, model, body, state, callback_state, next_at, created_at, finished_at) values
                (gen_random_uuid(), 'm', '{"rows":[{"who":"lola"}]}', 'done', 'none', now(), now(), now()), (gen_random_uuid(), 'm', '{"rows":[{"who":"pepe"}]}', 'done', 'none', now(), now(), now());
            insert into ml.batch_jobs (id, model, version, format, header, rows, state, created_by, created_at) values
                ('11111111-1111-1111-1111-111111111111', 'm', 1, 'csv', '["who","prediction"]', 3, 'done', 'x', now()), ('22222222-2222-2222-2222-222222222222', 'm', 1, 'ndjson', '[]', 2, 'cancelled', 'x', now());
            insert into ml.batch_parts (job_id, part, rows, input, output) values
                ('11111111-1111-1111-1111-111111111111', 0, 3, '', convert_to(E'pepe,1\r\nlola,2\r\n"a ""b""",3\r\n', 'UTF8')),
                ('22222222-2222-2222-2222-222222222222', 0, 2, convert_to('["{\"who\":\"lola\"}","{\"who\":\"pepe\"}"]', 'UTF8'), null);
            """");

        await EraseAsync("lola");

        (await ScalarAsync<string>("select string_agg(request_id, ',') from ml.predictions where model = 'm'")).ShouldBe("his");
        (await ScalarAsync<string>("select string_agg(request_id, ',') from ml.outcomes")).ShouldBe("his");
        (await ScalarAsync<string>("select string_agg(body->'rows'->0->>'who', ',') from ml.async_predictions")).ShouldBe("pepe");
        (await ScalarAsync<string>("select convert_from(output, 'UTF8') from ml.batch_parts where output is not null")).ShouldBe("pepe,1\r\n\"a \"\"b\"\"\",3\r\n");
        (await ScalarAsync<string>("select convert_from(input, 'UTF8') from ml.batch_parts where output is null")).ShouldNotContain("lola");
        (await ScalarAsync<string>("select string_agg(rows::text, ',' order by id) from ml.batch_jobs")).ShouldBe("2,2");
    }

    [Test]
    public async Task Versions_that_differ_in_her_rows_alone_become_the_same_and_nothing_breaks()
    {
        var day = Today.AddDays(-1);
        await Service<EventWriter>().WriteAsync([Room.View("uno", "car-1", day), Room.View("uno", "car-2", day.AddMinutes(1)), Room.View("zoe", "car-3", day.AddMinutes(2))]);
        var query = $$"""{"eventTypes":["item_viewed"],"fields":{"item":"itemId"},"from":"{{day:O}}","to":"{{day.AddMinutes(3):O}}"}""";
        await MadeAsync("twice", query.Replace($"{day.AddMinutes(3):O}", $"{day.AddMinutes(2):O}", StringComparison.Ordinal));
        await MadeAsync("twice", query);

        await EraseAsync("zoe");

        (await ScalarAsync<long>("select count(distinct sha256) from ml.dataset_versions where dataset = 'twice'")).ShouldBe(1);
        (await MadeAsync("twice", query.Replace($"{day.AddMinutes(3):O}", $"{day.AddMinutes(2):O}", StringComparison.Ordinal))).GetProperty("number").GetInt32().ShouldBe(2);
        (await admin.DeleteAsync("/api/ml/datasets/twice/versions/2")).EnsureSuccessStatusCode();
        (await admin.GetFromJsonAsync<JsonElement>("/api/ml/datasets/twice/versions/1/rows")).GetProperty("rows").GetArrayLength().ShouldBe(2);
    }

    private static DateTimeOffset Today => new(TimeProvider.System.GetUtcNow().UtcDateTime.Date, TimeSpan.Zero);

    /// <summary>Asks for a person's erasure as the log does and waits for its end.</summary>
    private async Task EraseAsync(string id)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Salt + id)));
        await ExecuteAsync($"insert into ml.erasures (position, salt, hashes, asked_at) values ({-Interlocked.Increment(ref positions)}, '{Salt}', array['{hash}'], now())");
        await DoneAsync();
    }

    private async Task DoneAsync()
    {
        while (await Service<Erasures>().StepAsync())
        {
        }

        // The host's own loop may have been at one.
        for (var deadline = Environment.TickCount64 + 20_000; await ScalarAsync<long>("select count(*) from ml.erasures where done_at is null") > 0; await Task.Delay(20))
        {
            Environment.TickCount64.ShouldBeLessThan(deadline);
        }
    }

    private async Task<JsonElement> MadeAsync(string name, string query)
    {
        var answer = await admin.PostAsync($"/api/ml/datasets/{name}/from-log", new StringContent(query, Encoding.UTF8, "application/json"));
        answer.IsSuccessStatusCode.ShouldBeTrue(await answer.Content.ReadAsStringAsync());
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }
}
