using System.Text;
using Microsoft.Extensions.Options;
using OKLA.Shared.Contracts;
using OKLA.Shared.Files;
using OKLA.Tracking.Catalog;
using Log = OKLA.Shared.EventLog.EventLog;

namespace OKLA.Tests.Modules.Tracking.Catalog;

public sealed class ImportListingsTests : DatabaseTest
{
    private const string Header = "snapshot,brand,model,title,year,type,fuel,condition,mileage_km,currency,price\n";
    private static readonly DateTimeOffset January = new(2022, 1, 13, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset March = new(2022, 3, 14, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset April = new(2022, 4, 22, 0, 0, 0, TimeSpan.Zero);
    private string folder = "";
    private Log log = null!;

    [SetUp]
    public async Task EmptyAsync()
    {
        folder = Directory.CreateTempSubdirectory("okla-import-").FullName;
        log = new Log(Database, TimeProvider.System);
        await ExecuteAsync("truncate events.mt_streams, tracking.items, tracking.imports cascade");
    }

    [TearDown]
    public void DeleteFiles() => Directory.Delete(folder, recursive: true);

    [Test]
    public async Task An_ad_is_followed_through_the_snapshots()
    {
        var report = await ImportAsync(Header
            + "2022-01-13,Kia,Rio,Kia Rio,2019,sedan,Eléctrico,Usado,35000,US,14000.0\n"
            + "2022-01-13,Kia,Rio,Kia Rio,2019,sedan,Eléctrico,Usado,,US,16000\n"
            + "2022-03-14,KIA,Rio,Kia Rio,2019,sedan,Electrico,Usado,,US,13500\n"
            + "2022-03-14,Kia,Rio,Kia Rio,2019,sedan,Eléctrico,Usado,,US,16000\n"
            + "2022-04-22,Kia,Rio,Kia Rio,2019,sedan,Eléctrico,,,US,13500\n");

        (report.Rows, report.Kept, report.SetAside.Count).ShouldBe((5, 5, 0));
        report.Snapshots.Select(s => (s.TakenAt, s.Changes)).ShouldBe(
        [
            (January, new CatalogChanges(2, 0, 0, 0, 0)),
            (March, new CatalogChanges(0, 1, 1, 1, 0)),
            (April, new CatalogChanges(0, 1, 0, 0, 1)),
        ]);
        var live = (await LiveAsync()).ShouldHaveSingleItem();
        (live.Item.Price, live.ListedAt).ShouldBe((new Money(13_500, "USD"), January));
        (live.Item.Text("fuel"), live.Item.Text("bodyType"), live.Item.Number("year")).ShouldBe(("electrico", "sedan", 2019.0));
        // A later snapshot without mileage and condition does not take back what an earlier one said.
        (live.Item.Number("mileageKm"), live.Item.Text("condition")).ShouldBe((35_000.0, "usado"));

        var events = await log.ReadAsync(0).ToListAsync();
        events.ShouldAllBe(e => e.OccurredAt == e.KnownAt);
        events.Where(e => e.Type == EventTypes.ItemWithdrawn).Select(e => (e.OccurredAt, e.Read<ItemEnded>().Reason)).ShouldBe([(April, "not_in_snapshot")]);
    }

    [Test]
    public async Task Bad_rows_are_kept_with_their_reasons_and_nothing_is_lost()
    {
        var peers = string.Concat(Enumerable.Range(0, 5).Select(i => $"2022-01-13,Honda,Civic EX,Honda Civic EX,{2015 + i},sedan,Gasolina,Usado,,US,{15_000 + (i * 1000)}\n"));
        var report = await ImportAsync(Header + peers
            + "2022-01-13,,Civic,Civic,2017,sedan,Gasolina,Usado,,US,15000\n"
            + "2022-01-13,Honda,,Honda,2017,sedan,Gasolina,Usado,,US,15000\n"
            + "2022-01-13,Honda,Civic,Honda Civic,,sedan,Gasolina,Usado,,US,15000\n"
            + "2022-01-13,Honda,Civic,Honda Civic,2031,sedan,Gasolina,Usado,,US,15000\n"
            + "2022-01-13,Honda,Civic,Honda Civic,2017,sedan,Gasolina,Usado,,US,\n"
            + "2022-01-13,Honda,Civic,Honda Civic,2017,sedan,Gasolina,Usado,,US,llamar\n"
            + "2022-01-13,Honda,Civic,Honda Civic,2017,sedan,Gasolina,Usado,,EUR,15000\n"
            + "2022-01-13,Cola,Plataforma,Cola Plataforma,2022,v.pesados,Diesel,Nuevo,,RD,1.0\n"
            + "2022-01-13,Honda,Civic EX,Honda Civic EX,2017,sedan,Gasolina,Usado,,US,985000\n"
            + "2022-01-13,Honda,Accord,Honda Accord,2017,sedan,Gasolina,Usado,9999999,US,15000\n"
            + "2022-01-13,Honda,Civic EX,Honda Civic EX,2015,sedan,Gasolina,Usado,,US,15000\n"
            + "ayer,Honda,Accord,Honda Accord,2017,sedan,Gasolina,Usado,,US,15000\n"
            + "2022-01-13,Honda,Accord\n"
            + "2022-01-13,\"Honda\"x,Accord,Honda Accord,2017,sedan,Gasolina,Usado,,US,15000\n");

        (report.Rows, report.Kept).ShouldBe((19, 5));
        report.SetAside.OrderBy(pair => pair.Key).Select(pair => (pair.Key, pair.Value)).ShouldBe(
        [
            ("duplicate_row", 1), ("implausible_mileage", 1), ("implausible_price", 2), ("implausible_year", 1), ("malformed_row", 2), ("missing_make", 1),
            ("missing_model", 1), ("missing_price", 1), ("missing_year", 1), ("unknown_currency", 1), ("unreadable_price", 1), ("unreadable_snapshot", 1),
        ]);
        (await ScalarAsync<string>("select raw ->> 'price' from tracking.set_aside_rows where row_number = 14 and reason = 'implausible_price' and field = 'price'"))
            .ShouldBe("985000");
        (await ScalarAsync<string>("select raw ->> 0 from tracking.set_aside_rows where row_number = 19")).ShouldStartWith("2022-01-13,\"Honda\"x");
    }

    [Test]
    public async Task The_same_file_again_changes_nothing_and_says_so()
    {
        const string Text = Header + "2022-01-13,Kia,Rio,Kia Rio,2019,sedan,Gasolina,Usado,,US,14000\n2022-01-13,Kia,,Kia Rio,2019,sedan,Gasolina,Usado,,US,14000\n";
        var first = await ImportAsync(Text);
        var end = await log.HighWaterMarkAsync();

        var again = await ImportAsync(Text);

        again.Repeated.ShouldBeTrue();
        (again.ImportId, again.Rows, again.Kept, again.SetAside["missing_model"]).ShouldBe((first.ImportId, 2, 1, 1));
        (await log.HighWaterMarkAsync()).ShouldBe(end);
    }

    [Test]
    public async Task A_file_that_grew_by_a_snapshot_adds_only_that_one()
    {
        const string Old = Header + "2022-01-13,Kia,Rio,Kia Rio,2019,sedan,Gasolina,Usado,,US,14000\n";
        await ImportAsync(Old);

        var report = await ImportAsync(Old + "2022-03-14,Kia,Rio,Kia Rio,2019,sedan,Gasolina,Usado,,US,13900\n");

        report.SetAside.ShouldBe(new Dictionary<string, long> { ["snapshot_already_imported"] = 1 });
        report.Snapshots.ShouldHaveSingleItem().Changes.ShouldBe(new CatalogChanges(0, 0, 1, 0));
    }

    [Test]
    public async Task An_import_that_broke_off_goes_on_where_it_stopped()
    {
        const string Text = Header + "2022-01-13,Kia,Rio,Kia Rio,2019,sedan,Gasolina,Usado,,US,14000\n2022-01-13,Kia,,Kia,2019,sedan,Gasolina,Usado,,US,14000\n"
            + "2022-03-14,Kia,Rio,Kia Rio,2019,sedan,Gasolina,Usado,,US,13900\n";
        var whole = await ImportAsync(Text);
        // As a crash after the first snapshot's commit would have left it.
        await ExecuteAsync("""
            delete from tracking.imported_snapshots where snapshot > '2022-02-01';
            update tracking.imports set finished_at = null, rows_read = 0;
            update tracking.items set price = 14000, updated_at = '2022-01-13';
            """);

        var rest = await ImportAsync(Text);

        (rest.ImportId, rest.Rows, rest.Kept, rest.SetAside["missing_model"]).ShouldBe((whole.ImportId, 3, 2, 1));
        rest.Snapshots[1].Changes.ShouldBe(new CatalogChanges(0, 0, 1, 0));
    }

    [Test]
    public async Task Ads_with_ids_keep_them_apart_even_when_all_else_is_equal()
    {
        const string Text = "anuncio;marca;modelo;año;precio;moneda;kilometraje;color\nA1;Toyota;Hilux;2020;1.950.000;RD$;35,000 Mi;Rojo\nA2;Toyota;Hilux;2020;1.950.000;RD$;35,000 Mi;Rojo\n"
            + "A2;Toyota;Hilux;2020;1.950.000;RD$;35,000 Mi;Rojo\n";

        var report = await ImportAsync(Text, columns: null);

        (report.Kept, report.SetAside["duplicate_row"]).ShouldBe((2, 1));
        var live = await LiveAsync();
        live.Select(entry => entry.Item.Price).ShouldBe([new Money(1_950_000, "DOP"), new Money(1_950_000, "DOP")]);
        live[0].Item.Number("mileageKm").ShouldBe(Math.Round(35_000 * 1.609344));
        live[0].Item.Title.ShouldBe("Toyota Hilux");
    }

    [Test]
    public async Task Identical_rows_become_ads_of_their_own_when_asked()
    {
        const string Row = ",Toyota,Hilux,Toyota Hilux,2022,camioneta,Diesel,Nuevo,,US,56500\n";

        var report = await ImportAsync(Header + "2022-01-13" + Row + "2022-01-13" + Row + "2022-03-14" + Row, options: new ImportOptions { KeepIdenticalRows = true });

        report.Kept.ShouldBe(3);
        report.Snapshots.Select(s => s.Changes).ShouldBe([new CatalogChanges(2, 0, 0, 0), new CatalogChanges(0, 0, 0, 1, 1)]);
    }

    [Test]
    public async Task Latin_1_is_read_when_the_bytes_are_not_utf_8()
    {
        var path = Path.Combine(folder, "viejo.csv");
        await File.WriteAllBytesAsync(path, Encoding.Latin1.GetBytes("marca,modelo,año,precio,moneda\nCitroën,Cañón,2015,500000,RD\n"));

        var report = await Handler(null).HandleAsync(new ImportListings(path), default);

        report.Encoding.ShouldBe("iso-8859-1");
        (await LiveAsync()).ShouldHaveSingleItem().Item.Title.ShouldBe("Citroën Cañón");
    }

    [Test]
    public async Task A_make_of_two_words_that_was_cut_is_put_together()
    {
        await ImportAsync(Header + "2022-01-13,Land,Rover Discovery,Land Rover Discovery,2019,jeepeta,Diesel,Usado,,US,45000\n");

        var item = (await LiveAsync()).ShouldHaveSingleItem().Item;
        (item.Text("make"), item.Text("model")).ShouldBe(("Land Rover", "Discovery"));
    }

    [TestCase("make=brand,model=model,year=year,price=cost", "cost")]
    [TestCase("make=brand,model", "target=column")]
    [TestCase("make=brand,make=model", "twice")]
    [TestCase("make=brand,model=model,year=year", "No column for price")]
    public async Task A_mapping_that_does_not_fit_is_refused_with_what_is_wrong(string map, string expected) =>
        (await Should.ThrowAsync<ImportRefusedException>(() => ImportAsync(Header, map))).Message.ShouldContain(expected);

    [Test]
    public async Task A_missing_file_is_refused() =>
        (await Should.ThrowAsync<UnreadableFileException>(() => Handler(null).HandleAsync(new ImportListings(Path.Combine(folder, "none.csv")), default))).Message.ShouldContain("none.csv");

    private async Task<ImportReport> ImportAsync(
        string text, string? columns = "make=brand,model=model,title=title,year=year,bodyType=type,fuel=fuel,condition=condition,mileageKm=mileage_km,price=price,currency=currency,snapshot=snapshot",
        ImportOptions? options = null)
    {
        var path = Path.Combine(folder, "listings.csv");
        await File.WriteAllTextAsync(path, text);
        return await Handler(options).HandleAsync(new ImportListings(path, columns), default);
    }

    private ImportListingsHandler Handler(ImportOptions? options) => new(Database, log, Options.Create(options ?? new ImportOptions()), TimeProvider.System);

    private Task<IReadOnlyList<CatalogEntry>> LiveAsync() => ListCatalogItemsHandler.HandleAsync(new ListCatalogItems("vehicle"), Database, default);
}
