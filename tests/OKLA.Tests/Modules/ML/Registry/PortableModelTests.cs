using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OKLA.ML.Models;
using OKLA.ML.Registry;
using OKLA.ML.Serving;
using OKLA.Tests.Modules.ML.Serving;
using OKLA.Tests.Modules.ML.Training;

namespace OKLA.Tests.Modules.ML.Registry;

/// <summary>Versions that leave as a file and come in again.</summary>
public sealed class PortableModelTests : ServingTest
{
    private byte[] table = [];
    private byte[] line = [];

    protected override async Task PrepareAsync()
    {
        var definition = new TableDefinition { Name = "sold", Dataset = "cars", Target = "sold", Columns = ["age", "transmission"], Profile = "fast", BudgetSeconds = 5 };
        var training = SmallTables.Training(definition, SmallTables.Cars(200, 3));
        var held = await training.EvaluateAsync(null, null, default);
        await Service<ModelCatalog>().PutAsync(definition, "ana", "Whether it sells.", default);
        await Service<ModelRegistry>().SaveAsync("sold", training.Measured(), held.Metrics, "candidate", "good", "test", 1, new VersionFacts([], training.Signature, null, null), default);
        table = await ExportAsync("sold", 1);
        line = await ExportAsync(LineModel.ModelName, await SaveAsync(new Line(2)));
    }

    [Test]
    public async Task A_version_comes_in_under_another_name_waits_and_answers_as_it_did()
    {
        var came = await ImportAsync("sold-elsewhere", table);

        came.StatusCode.ShouldBe(HttpStatusCode.Created);
        var body = await BodyAsync(came);
        (body.GetProperty("version").GetInt32(), body.GetProperty("stage").GetString(), body.GetProperty("from").GetString()).ShouldBe((1, "candidate", "sold 1"));
        (await PredictAsync("sold-elsewhere")).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        await BodyAsync(Admin.PostAsJsonAsync("/api/ml/models/sold-elsewhere/versions/1/approve", new { note = "Seen." }));
        await BodyAsync(Admin.PostAsJsonAsync("/api/ml/models/sold/versions/1/approve", new { }));
        await Service<ServedModels>().RefreshAsync();
        var (there, here) = (await BodyAsync(PredictAsync("sold")), await BodyAsync(PredictAsync("sold-elsewhere")));
        here.GetProperty("predictions")[0].GetProperty("value").GetDouble().ShouldBe(there.GetProperty("predictions")[0].GetProperty("value").GetDouble());
        var kept = (await Admin.GetFromJsonAsync<JsonElement>("/api/ml/models/sold-elsewhere/versions/1")).GetProperty("version");
        kept.GetProperty("data").GetProperty("imported").GetProperty("model").GetString().ShouldBe("sold");
        kept.GetProperty("metrics").GetArrayLength().ShouldBeGreaterThan(3);
    }

    [Test]
    public async Task The_file_is_what_sha256sum_and_unzip_read()
    {
        using var zip = new ZipArchive(new MemoryStream(table));
        using var sums = new StreamReader(zip.GetEntry("SHA256SUMS")!.Open());

        foreach (var line in (await sums.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            await using var part = zip.GetEntry(line[66..])!.Open();
            Convert.ToHexStringLower(await SHA256.HashDataAsync(part)).ShouldBe(line[..64]);
        }

        using var card = new StreamReader(zip.GetEntry("card.md")!.Open());
        (await card.ReadToEndAsync()).ShouldStartWith("# sold, version 1");
    }

    [Test]
    public async Task The_same_file_twice_at_once_is_one_version()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => ImportAsync("sold-twice", table)));

        answers.Count(answer => answer.StatusCode == HttpStatusCode.Created).ShouldBe(1);
        (await ScalarAsync<long>("select count(*) from ml.model_versions where model = 'sold-twice'")).ShouldBe(1);
    }

    [Test]
    public async Task What_is_no_whole_model_of_the_kind_is_refused_by_the_part_at_fault()
    {
        await RefusedAsync("sold", "no zip at all"u8.ToArray(), "body");
        await RefusedAsync("sold", table[..(table.Length / 2)], "body");
        await RefusedAsync("sold", Packed(("readme.txt", "hello"u8.ToArray())), "body");
        await RefusedAsync("sold", Changed("artefact.bin", bytes => [.. bytes[..^1], (byte)(bytes[^1] ^ 1)]), "artefact.bin");
        await RefusedAsync("sold", Changed("manifest.json", bytes => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(bytes).Replace("\"sold\"", "\"gold\"", StringComparison.Ordinal))), "manifest.json");
        await RefusedAsync("sold", Changed("artefact.bin", bytes => bytes[..^9], signed: true), "artefact.bin");
        await RefusedAsync("sold", Changed("manifest.json", _ => "{\"kind\":\"cake\"}"u8.ToArray(), signed: true), "manifest.json");
        await RefusedAsync("sold", line, "manifest.json");
        await RefusedAsync(LineModel.ModelName, table, "manifest.json");
        await RefusedAsync("Sold!", table, "name");
        (await ScalarAsync<long>("select count(*) from ml.model_versions where model = 'sold'")).ShouldBe(1);
    }

    [Test]
    public async Task A_version_that_cannot_answer_is_not_taken_in()
    {
        var bad = await ExportAsync(LineModel.ModelName, await SaveAsync(new Line(1, Fails: true)));

        await RefusedAsync(LineModel.ModelName, bad, "artefact.bin");
    }

    [Test]
    public async Task Another_question_under_a_known_name_is_refused()
    {
        var definition = new TableDefinition { Name = "price", Dataset = "cars", Target = "price", Columns = ["age", "km"], Profile = "fast", BudgetSeconds = 5 };
        var training = SmallTables.Training(definition, SmallTables.Cars(200, 5));
        var held = await training.EvaluateAsync(null, null, default);
        await Service<ModelCatalog>().PutAsync(definition, "ana", null, default);
        await Service<ModelRegistry>().SaveAsync("price", training.Measured(), held.Metrics, "candidate", "good", "test", 1, new VersionFacts([], training.Signature, null, null), default);

        await RefusedAsync("price", table, "manifest.json");
    }

    [Test]
    public async Task Strangers_neither_take_out_nor_bring_in_and_what_is_not_there_is_not_found()
    {
        (await Http.GetAsync("/api/ml/models/sold/versions/1/export")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await ImportAsync("sold", table, Http)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await Admin.GetAsync("/api/ml/models/sold/versions/99/export")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await Admin.GetAsync("/api/ml/models/nobody/versions/1/export")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Test]
    public async Task A_deleted_version_takes_its_bytes_with_it_unless_another_one_is_the_same()
    {
        var (first, second) = (await SaveAsync(new Line(77)), await SaveAsync(new Line(77)));
        var sha256 = await ScalarAsync<string>($"select sha256 from ml.model_versions where model = 'line' and version = {first}");

        (await Admin.DeleteAsync($"/api/ml/models/line/versions/{first}")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await Service<ModelRegistry>().ArtefactAsync("line", second, default)).ShouldBe(new Line(77).Save());
        (await Admin.DeleteAsync($"/api/ml/models/line/versions/{second}")).StatusCode.ShouldBe(HttpStatusCode.NoContent);

        (await ScalarAsync<long>($"select count(*) from ml.blobs where sha256 = '{sha256}'")).ShouldBe(0);
    }

    [Test]
    public async Task A_version_that_a_batch_waits_for_is_not_deleted()
    {
        var version = await SaveAsync(new Line(5));
        await ExecuteAsync($"""
            insert into ml.batch_jobs (id, model, version, format, header, rows, state, created_by, created_at) values (gen_random_uuid(), 'line', {version}, 'csv', '[]', 1, 'queued', 'ana', now())
            """);

        (await Admin.DeleteAsync($"/api/ml/models/line/versions/{version}")).StatusCode.ShouldBe(HttpStatusCode.Conflict);
    }

    private static byte[] Packed(params (string Name, byte[] Bytes)[] parts)
    {
        using var file = new MemoryStream();
        using (var zip = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, bytes) in parts)
            {
                using var entry = zip.CreateEntry(name).Open();
                entry.Write(bytes);
            }
        }

        return file.ToArray();
    }

    /// <summary>The table's file with a part changed; with new checksums when it is <paramref name="signed"/>.</summary>
    private byte[] Changed(string part, Func<byte[], byte[]> change, bool signed = false)
    {
        using var zip = new ZipArchive(new MemoryStream(table));
        var parts = zip.Entries.ToDictionary(entry => entry.FullName, entry =>
        {
            using var bytes = new MemoryStream();
            using var packed = entry.Open();
            packed.CopyTo(bytes);
            return entry.FullName == part ? change(bytes.ToArray()) : bytes.ToArray();
        });
        if (signed)
        {
            parts["SHA256SUMS"] = Encoding.UTF8.GetBytes(string.Concat(
                parts.Where(one => one.Key != "SHA256SUMS").Select(one => $"{Convert.ToHexStringLower(SHA256.HashData(one.Value))}  {one.Key}\n")));
        }

        return Packed([.. parts.Select(one => (one.Key, one.Value))]);
    }

    private async Task RefusedAsync(string name, byte[] file, string part)
    {
        var answer = await ImportAsync(name, file);
        var said = await answer.Content.ReadAsStringAsync();
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest, said);
        JsonDocument.Parse(said).RootElement.GetProperty("errors").EnumerateObject().Select(error => error.Name).ShouldBe([part], said);
    }

    private async Task<byte[]> ExportAsync(string name, int version)
    {
        var answer = await Admin.GetAsync($"/api/ml/models/{name}/versions/{version}/export");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
        return await answer.Content.ReadAsByteArrayAsync();
    }

    private async Task<HttpResponseMessage> ImportAsync(string name, byte[] file, HttpClient? by = null)
    {
        using var content = new ByteArrayContent(file) { Headers = { ContentType = new MediaTypeHeaderValue("application/zip") } };
        return await (by ?? Admin).PostAsync($"/api/ml/models/{name}/import", content);
    }

    private Task<HttpResponseMessage> PredictAsync(string model) => Http.PostAsJsonAsync($"/api/ml/models/{model}/predict", new { rows = new[] { new { age = 3, transmission = "automática" } } });
}
