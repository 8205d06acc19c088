using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.Host.Cli;

/// <summary>
/// <c>show recommendations</c> and <c>show prices</c>: a page in Markdown of what the models answer about people and ads of this database, drawn by a seed, for a dealer
/// to judge. In Dominican Spanish, as it is dealers who read it.
/// </summary>
internal static class ShowVerbs
{
    private const int MostHistory = 5, ItemsForEach = 3, DaysBack = 30;
    private static readonly CultureInfo Dominican = CultureInfo.GetCultureInfo("es-DO");

    private static readonly Option Kind = new("--kind", "NAME", "vehicle or activity (default vehicle)");

    private static readonly Option[] Options =
    [
        new("--count", "N", "how many people or vehicles (default 10)"),
        new("--seed", "S", "which are drawn (default 1)"),
    ];

    public static Verb Recommendations { get; } = Of("show recommendations", [.. Options, Kind], "prints recommendations for people drawn by chance, each with what they did and the reason, as Markdown", RecommendationsAsync);

    public static Verb Prices { get; } = Of("show prices", Options, "prints price estimates of vehicles drawn by chance, each with its interval and reasons, as Markdown", PricesAsync);

    private static Verb Of(string name, Option[] options, string help, Func<Invocation, IServiceProvider, Terminal, CancellationToken, Task<int>> run) => new(name, [], options, help, run)
    {
        Check = invocation => _ = (Count(invocation), Seed(invocation), KindOf(invocation)),
    };

    private static async Task<int> RecommendationsAsync(Invocation invocation, IServiceProvider services, Terminal terminal, CancellationToken ct)
    {
        var bus = await CaughtUpAsync(services, ct);
        var now = terminal.Clock.GetUtcNow();
        var kind = KindOf(invocation);
        var people = await bus.InvokeAsync<IReadOnlyList<ActivePerson>>(new GetActivePeople(now.AddDays(-DaysBack), now, 100_000, 200), ct);
        var ofKind = (await bus.InvokeAsync<IReadOnlyList<ItemSnapshot>>(new GetItemFrame(now, kind), ct)).ToDictionary(item => item.Item.Id, StringComparer.Ordinal);
        var drawn = Drawn(people.Where(person => person.History.Count(item => ofKind.ContainsKey(item.ItemId)) >= 2), person => person.PersonId, invocation).ToArray();
        terminal.Out.WriteLine($"# {Texts.Spanish["show.recommendations"]}");
        foreach (var person in drawn)
        {
            var answer = await bus.InvokeAsync<PersonalRecommendations>(new GetRecommendations(person.PersonId, ItemsForEach, kind), ct);
            var met = person.History.Where(item => !item.Refused).OrderByDescending(item => item.LastAt).Take(MostHistory).ToArray();
            var items = await ItemsAsync(bus, [.. met.Select(item => item.ItemId), .. answer.Items.Select(item => item.ItemId)], ct);
            terminal.Out.WriteLine();
            terminal.Out.WriteLine($"## {person.PersonId}");
            terminal.Out.WriteLine();
            foreach (var item in met.Where(item => items.ContainsKey(item.ItemId)))
            {
                terminal.Out.WriteLine($"- {Did(item.StrongestType)} {Described(items[item.ItemId].Item)}");
            }

            terminal.Out.WriteLine();
            terminal.Out.WriteLine($"| {Texts.Spanish["show.shown"]} | {Texts.Spanish["show.price"]} | {Texts.Spanish["show.because"]} |");
            terminal.Out.WriteLine("|---|---:|---|");
            foreach (var (id, reason) in answer.Items.Where(item => items.ContainsKey(item.ItemId)))
            {
                terminal.Out.WriteLine($"| {Cell(Named(items[id].Item))} | {Asked(items[id].Item)} | {Cell(reason)} |");
            }
        }

        return drawn.Length > 0 ? CommandLine.Success : Nothing(terminal, $"Nobody met two items of kind {kind} within the last {DaysBack} days.");
    }

    private static async Task<int> PricesAsync(Invocation invocation, IServiceProvider services, Terminal terminal, CancellationToken ct)
    {
        var bus = await CaughtUpAsync(services, ct);
        var rates = services.GetRequiredService<ExchangeRates>();
        var onOffer = (await bus.InvokeAsync<IReadOnlyList<ItemSnapshot>>(new GetItemFrame(terminal.Clock.GetUtcNow()), ct)).Where(item => item is { Status: "live", Item.Price: not null }).ToArray();
        terminal.Out.WriteLine($"# {Texts.Spanish["show.prices"]}");
        foreach (var vehicle in Drawn(onOffer, item => item.Item.Id, invocation))
        {
            if (await bus.InvokeAsync<PriceEstimate?>(new GetPriceEstimate(vehicle.Item.Id), ct) is not { } estimate)
            {
                continue;
            }

            var inPesos = vehicle.Item.Price!.Currency == "DOP";
            var rate = inPesos ? rates.DopPerUsd(vehicle.PricedAt) : 1;
            string Sum(double usd) => Money(Rounded((decimal)usd * rate), inPesos);
            terminal.Out.WriteLine();
            terminal.Out.WriteLine($"## {Described(vehicle.Item)}");
            terminal.Out.WriteLine();
            terminal.Out.WriteLine($"- {Traits(vehicle.Item)}");
            terminal.Out.WriteLine($"- {(estimate is { LowUsd: { } low, HighUsd: { } high } ? Texts.Spanish["show.interval", Sum(estimate.Usd), Sum(low), Sum(high)] : Texts.Spanish["show.estimate", Sum(estimate.Usd)])}");
            if (estimate.Verdict is { } verdict)
            {
                terminal.Out.WriteLine($"- {verdict}{(estimate.Market is { } market ? $": {char.ToLower(market[0], Dominican)}{market[1..]}" : "")}");
            }

            foreach (var reason in estimate.Reasons)
            {
                terminal.Out.WriteLine($"- {reason}");
            }
        }

        return onOffer.Length > 0 ? CommandLine.Success : Nothing(terminal, "No vehicle with a price is on offer.");
    }

    private static async Task<IMessageBus> CaughtUpAsync(IServiceProvider services, CancellationToken ct)
    {
        await services.GetRequiredService<Subscriptions>().CatchUpAsync(ct: ct);
        return services.GetRequiredService<IMessageBus>();
    }

    private static async Task<Dictionary<string, ItemSnapshot>> ItemsAsync(IMessageBus bus, IReadOnlyCollection<string> ids, CancellationToken ct) =>
        (await bus.InvokeAsync<IReadOnlyList<ItemSnapshot>>(new GetItems([.. ids.Distinct()]), ct)).ToDictionary(item => item.Item.Id, StringComparer.Ordinal);

    /// <summary>By a hash of seed and id: the same however many there are and in whatever order they come.</summary>
    private static IEnumerable<T> Drawn<T>(IEnumerable<T> all, Func<T, string> id, Invocation invocation)
    {
        var seed = Seed(invocation);
        return all.OrderBy(one => BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}\n{id(one)}")))).Take(Count(invocation));
    }

    private static int Count(Invocation invocation) => invocation.Number("--count", 10, 1, 1_000);

    private static string KindOf(Invocation invocation) => invocation.Text("--kind") switch
    {
        null or "vehicle" => "vehicle",
        "activity" => "activity",
        var other => throw new UsageException($"--kind takes vehicle or activity, not '{other}'."),
    };

    private static int Seed(Invocation invocation) => invocation.Number("--seed", 1, 0, int.MaxValue);

    private static string Did(string type) => Texts.Spanish[Texts.Spanish.Has($"did.{type}") ? $"did.{type}" : $"did.{EventTypes.ItemViewed}"];

    private static string Described(CatalogItem item) => $"{Named(item)}, {Asked(item)}";

    private static string Named(CatalogItem item) => item.Number("year") is { } year && !item.Title.Contains(Number(year), StringComparison.Ordinal) ? $"{item.Title} {Number(year)}" : item.Title;

    private static string Traits(CatalogItem item) => string.Join(
        ", ", new[] { item.Text("bodyType"), item.Text("condition"), item.Number("mileageKm") is { } km ? Texts.Spanish["show.kilometres", km] : null, item.Text("transmission"), item.Text("fuel"), item.Place }
            .Where(text => !string.IsNullOrWhiteSpace(text)).Select(text => Texts.Spanish.Value(text!)));

    private static string Asked(CatalogItem item) => item.Price is { } price ? price.Amount == 0 ? Texts.Spanish["show.free"] : Money(price.Amount, price.Currency == "DOP") : Texts.Spanish["show.unpriced"];

    private static string Money(decimal amount, bool inPesos) => (inPesos ? "RD$" : "US$") + amount.ToString("N0", Dominican);

    /// <summary>Three digits: an estimate knows no more.</summary>
    private static decimal Rounded(decimal amount)
    {
        var step = 1m;
        while (amount / step >= 1_000)
        {
            step *= 10;
        }

        return Math.Round(amount / step) * step;
    }

    private static string Number(double value) => value.ToString("0", CultureInfo.InvariantCulture);

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);

    private static int Nothing(Terminal terminal, string why)
    {
        terminal.Error.WriteLine(why);
        return CommandLine.Failure;
    }
}
