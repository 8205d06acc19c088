using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using OKLA.Host.Cli;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Tests.Host.Demo;

namespace OKLA.Tests.Host.Cli;

public sealed class VerbTests : DatabaseTest
{
    private static readonly DateTimeOffset Now = new(2026, 6, 15, 15, 0, 0, TimeSpan.Zero);
    private string folder = "";

    [SetUp]
    public async Task EmptyAsync()
    {
        folder = Directory.CreateTempSubdirectory("okla-cli-").FullName;
        await ExecuteAsync("truncate events.mt_streams, tracking.items, tracking.imports cascade");
    }

    [TearDown]
    public void DeleteFiles() => Directory.Delete(folder, recursive: true);

    [Test]
    public async Task Import_prints_what_was_kept_and_what_was_set_aside_and_says_so_when_repeated()
    {
        var file = Path.Combine(folder, "cars.csv");
        await File.WriteAllTextAsync(file, "marca,modelo,año,precio,moneda,fecha\nKia,Rio,2019,14000,US$,2026-05-01\nKia,,2019,14000,US$,2026-05-01\nKia,Rio,2019,13900,US$,2026-06-01\n");

        var (code, output, error) = await RunAsync("import", "listings", file);

        (code, error).ShouldBe((0, "100.0 %  3 rows" + Environment.NewLine));
        output.ShouldContain("  rows read        3");
        output.ShouldContain("  kept             2");
        output.ShouldContain("    missing_model  1");
        output.ShouldContain("  2026-06-01     1     1       0        0         1          0          0");
        (await RunAsync("import", "listings", file)).Out.ShouldStartWith("This file was imported before; nothing changed.");
    }

    [Test]
    public async Task Import_of_a_file_that_is_not_there_ends_with_1()
    {
        var (code, _, error) = await RunAsync("import", "listings", Path.Combine(folder, "none.csv"));

        code.ShouldBe(1);
        error.ShouldContain("none.csv");
    }

    [Test]
    public async Task Simulate_prints_its_counts_and_another_size_for_the_same_seed_ends_with_1()
    {
        var (code, output, _) = await RunAsync("simulate", "--visitors", "30", "--days", "6", "--seed", "4", "--listings", "60");

        code.ShouldBe(0);
        output.ShouldContain("item_viewed");
        output.ShouldContain("seed 4, 2026-06-09 to 2026-06-15, made-up catalogue");
        var again = await RunAsync("simulate", "--visitors", "31", "--days", "6", "--seed", "4");
        (again.Code, again.Error.Trim()).ShouldBe((1, "Seed 4 was simulated with 30 visitors over 6 days. Take another seed, or the same numbers to go on."));
    }

    [Test]
    public async Task Train_and_evaluate_go_through_the_bus_and_print_each_metric_beside_its_baseline()
    {
        var trained = await RunAsync("train", "vehicle-recommender");
        var evaluated = await RunAsync("evaluate", "price-predictor");

        trained.Out.Split(Environment.NewLine)[..2].ShouldBe(["  metric    model    from      to  baseline  ceiling  baseline is", "  NDCG@10  0.3000  0.2500  0.3500    0.1000   0.4000  popularity"]);
        trained.Out.ShouldContain("vehicle-recommender version 3, published: better");
        evaluated.Out.ShouldContain("price-predictor: by time");
        (trained.Code, evaluated.Code).ShouldBe((0, 0));
    }

    [Test]
    public async Task Show_prints_what_a_person_did_and_why_she_sees_what_she_sees_the_same_for_the_same_seed()
    {
        var (code, page, error) = await RunAsync("show", "recommendations", "--count", "1", "--seed", "7");

        code.ShouldBe(0, error);
        page.ShouldContain("- contactó al vendedor de Kia Rio 2019, RD$700,000");
        page.ShouldContain("| Kia Rio 2021 | US$15,200 | Porque contactaste al vendedor de Kia Rio 2019 |");
        page.ShouldNotContain("city-walker");
        (await RunAsync("show", "recommendations", "--count", "1", "--seed", "7")).Out.ShouldBe(page);
        (await RunAsync("show", "recommendations", "--kind", "boat")).Code.ShouldBe(2);
        (await RunAsync("show", "recommendations", "--kind", "activity")).Code.ShouldBe(1);
    }

    [Test]
    public async Task Show_prints_prices_in_the_currency_of_the_ad_rounded_to_what_an_estimate_knows()
    {
        var (code, page, error) = await RunAsync("show", "prices");

        code.ShouldBe(0, error);
        page.ShouldContain("## Kia Rio 2021, US$15,200");
        page.ShouldContain("- Valor estimado: **US$14,600**, normalmente entre US$13,000 y US$16,200");
        page.ShouldContain("- Precio justo: más caro que 60 % de 10 vehículos comparables en venta");
        page.ShouldContain("- Año 2021: sube el precio 5 %");
        page.ShouldContain("## Kia Rio 2019, RD$700,000");
    }

    [Test]
    public async Task Evaluate_all_goes_on_over_what_cannot_be_measured_and_prints_one_table()
    {
        var all = await RunAsync("evaluate", "all", "--only", "dealer-churn,buyer-churn,lead-scorer");

        all.Code.ShouldBe(0);
        all.Out.ShouldContain("| lead-scorer | 1,000 / 200 | by time | NDCG@10 0.3 [0.25, 0.35] | 0.1 (popularity) | 0.4 | ≥ 0.5 | no: the ceiling 0.4 is below | 2.0 | 0.50 / 2.00 |");
        all.Out.ShouldContain("- dealer-churn: There is too little history.");
        all.Out.ShouldContain("- buyer-churn: It failed: ");
        all.Error.ShouldContain("it is damaged");
        (await RunAsync("evaluate", "all", "--only", "dealer-churn")).Code.ShouldBe(1);
        (await RunAsync("evaluate", "all")).Out.Split(Environment.NewLine).Count(line => line.StartsWith("| ", StringComparison.Ordinal)).ShouldBe(2 + ModelNames.All.Count - 2);
    }

    [Test]
    public async Task Archived_events_are_listed_and_loaded_back()
    {
        var log = new OKLA.Shared.EventLog.EventLog(Database, new StoppedClock(Now));
        await log.AppendAsync("visitor-a", ExpectedVersion.Any, [.. Enumerable.Range(0, 3).Select(_ => new NewEvent("page_viewed", "{}"u8.ToArray()) { KnownAt = Now.AddDays(-40) })]);
        var setting = $"--Archive:Folder={Path.Combine(folder, "archive")}";
        (await RunAsync("archive", "list", setting)).Out.ShouldBe("No events were archived." + Environment.NewLine);
        await new Archive(Database, [], Microsoft.Extensions.Options.Options.Create(new ArchiveOptions { Folder = Path.Combine(folder, "archive") }), new StoppedClock(Now))
            .ExportAsync([new ArchiveRule(["page_viewed"], new DateOnly(2026, 6, 1))]);

        (await RunAsync("archive", "list", setting)).Out.ShouldContain("2026-05-06-001.ndjson.gz  done        2");
        var loaded = await RunAsync("archive", "load", "2026-05-06-001.ndjson.gz", setting);

        (loaded.Code, loaded.Out.Trim()).ShouldBe((0, "2 events are in the log again, of 1 files"));
        (await RunAsync("archive", "load", "all", setting)).Out.Trim().ShouldBe("0 events are in the log again, of 0 files");
        (await RunAsync("archive", "load", "none", setting)).Code.ShouldBe(1);
        (await RunAsync("archive", "export", "--before", "yesterday")).Code.ShouldBe(2);
    }

    private async Task<(int Code, string Out, string Error)> RunAsync(params string[] args)
    {
        var (terminal, output, error) = CommandLineTests.Screen(clock: new TerminalTests.SteppedClock());
        var code = await CommandLine.RunAsync(args, (arguments, _) =>
        {
            var builder = WebApplication.CreateSlimBuilder(arguments.Configuration);
            builder.Services.AddDemoServices(Database, new StoppedClock(Now), typeof(FakeTrainHandler), typeof(FakeMarketHandler)).AddSingleton(new ExchangeRates(new MoneyOptions()));
            return Task.FromResult(new BuiltHost(builder.Build(), null));
        }, terminal);
        return (code, output.ToString(), error.ToString());
    }

    internal static class FakeTrainHandler
    {
        private static readonly MetricRow[] Metrics = [new("NDCG@10", 0.3, 0.1, "popularity", 0.4, 0.25, 0.35)];

        public static TrainingOutcome Handle(TrainModel command) => new(command.Model, 3, true, "better", Metrics, 10, 1);

        public static EvaluationReport Handle(EvaluateModel query) => query.Model switch
        {
            ModelNames.DealerChurn => new(query.Model, "There is too little history.", []),
            ModelNames.BuyerChurn => throw new InvalidDataException("it is damaged"),
            _ => new(query.Model, "by time", Metrics) { Targets = [new ModelTarget("NDCG@10", 0.5)], RowsLearned = 1_000, RowsMeasured = 200, Seconds = 2, Answers = new AnswerTimes(300, 0.5, 2) },
        };
    }

    internal static class FakeMarketHandler
    {
        private static readonly ItemSnapshot[] Items =
        [
            new(OKLA.Tests.Modules.Room.Car("rio-19", "Kia", "Rio", 2019, 700_000, "DOP", "sedan") with { Title = "Kia Rio" }, "live", Now, Now, Now, 1),
            new(OKLA.Tests.Modules.Room.Car("rio-21", "Kia", "Rio", 2021, 15_200, "USD", "sedan") with { Title = "Kia Rio" }, "live", Now, Now, Now, 2),
        ];

        public static IReadOnlyList<ActivePerson> Handle(GetActivePeople query) =>
        [
            new("buyer", true, [new("rio-19", 8, 1, EventTypes.Contacted, Now), new("rio-21", 1, 1, EventTypes.ItemViewed, Now)]),
            new("city-walker", true, [new("museum", 1, 1, EventTypes.ItemViewed, Now), new("park", 1, 1, EventTypes.ItemViewed, Now)]),
        ];

        public static IReadOnlyList<ItemSnapshot> Handle(GetItemFrame query) => query.Kind == "vehicle" ? Items : [];

        public static IReadOnlyList<ItemSnapshot> Handle(GetItems query) => [.. Items.Where(item => query.Ids.Contains(item.Item.Id))];

        public static PersonalRecommendations Handle(GetRecommendations query) => new([("rio-21", "Porque contactaste al vendedor de Kia Rio 2019")], 3, "model");

        public static PriceEstimate Handle(GetPriceEstimate query) =>
            new(14_612.4, 12_988, 16_203, "Precio justo", "Más caro que 60 % de 10 vehículos comparables en venta", ["Año 2021: sube el precio 5 %"], 3);
    }
}
