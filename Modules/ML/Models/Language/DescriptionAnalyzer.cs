using System.Globalization;
using OKLA.ML.Models.Frames;
using OKLA.ML.Registry;
using OKLA.ML.Serving;
using OKLA.ML.Training;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models.Language;

/// <summary>
/// What the text of a listing says, and what it should say.
/// Entity: a listing. Label: the facts that its text says. Learned: the names of the catalogue, and which facts the sellers of each body type state (a fact that
/// most others state and this one does not counts against it). Trainer: counting. Gate: F1 of facts on listings written by hand must beat plain patterns.
/// Answer: POST /api/listings/analyze.
/// </summary>
internal sealed class DescriptionAnalyzer(FrameSource source) : ModelDefinition
{
    public override string Name => ModelNames.DescriptionAnalyzer;

    public override string Summary => "What the text of a listing says, what it lacks, and where it contradicts what is stated.";

    /// <summary>The plan leaves it to the house: of twenty facts that a text says or that are read out of it at most one is missed or wrong.</summary>
    public override IReadOnlyList<ModelTarget> Targets { get; } = [new("fact F1, by hand", 0.95, Source: ModelTarget.House)];

    public override ModelTraining NewTraining() => new DescriptionTraining(source);

    public override ModelTraining NewTraining(TrainingWorld world) => new DescriptionTraining(source.In(world));

    public override IServedModel Load(byte[] artefact) => DescriptionModel.Load(artefact);
}

/// <summary>Learns names and habits from the catalogue and measures the reading of facts on listings written by hand.</summary>
internal sealed class DescriptionTraining(FrameSource source) : ModelTraining
{
    private const int MostMeasured = 4_000;
    private DescriptionModel model = null!;
    private DateTimeOffset until;
    private int rows;
    private IReadOnlyList<Action> questions = [];

    public override string Model => ModelNames.DescriptionAnalyzer;

    public override bool LargerIsBetter => true;

    public override ModelSignature? Signature => model?.Signature;

    public override IReadOnlyList<Action> Questions => questions;

    public override async Task<HeldOut> EvaluateAsync((byte[] Artefact, DateTimeOffset Until)? serving, IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        progress?.Report(new WorkProgress(0, "reading the catalogue"));
        until = source.Now;
        var items = await source.Bus.InvokeAsync<IReadOnlyList<ItemSnapshot>>(new GetItemFrame(until), ct);
        rows = items.Count;
        model = DescriptionModel.Fit(items);
        progress?.Report(new WorkProgress(0.5, "measuring"));
        var metrics = new List<MetricRow>
        {
            Figure("fact F1, by hand", model.Reader, WrittenListings.Final), Figure("fact F1, looked at", model.Reader, WrittenListings.Looked),
            new("fact precision, by hand", Shares(model.Reader, WrittenListings.Final).Precision, Plain(WrittenListings.Final).Precision, "plain patterns"),
            new("fact recall, by hand", Shares(model.Reader, WrittenListings.Final).Recall, Plain(WrittenListings.Final).Recall, "plain patterns"),
        };
        // What sellers state beside their text: a fact that the text says must be the one that is stated.
        var stated = items.Where(item => item.Item.Description is { Length: > 0 }).OrderByDescending(item => item.ListedAt).ThenBy(item => item.Item.Id, StringComparer.Ordinal).Take(MostMeasured).ToArray();
        questions = [.. stated.Take(HeldOutQuestions.Most).Select(item => (Action)(() => model.Judge(item.Item)))];
        if (stated.Length > 0)
        {
            metrics.Add(new MetricRow("agreement with what is stated", Agreement(model.Reader, stated), null, ""));
            metrics.Add(new MetricRow("quality and contacts, rank correlation", await ContactsAsync(items, ct), 0, "no relation"));
        }

        return new HeldOut(
            $"{rows:N0} listings of the catalogue for names and habits; {WrittenListings.Final.Count} written by hand to measure on, {WrittenListings.Looked.Count} more were looked at while the reader was made; {stated.Length:N0} newest listings for agreement",
            [.. metrics.Where(metric => double.IsFinite(metric.Model))], serving is { } old ? F1(Shares(DescriptionModel.Load(old.Artefact).Reader, WrittenListings.Final)) : null)
        {
            RowsLearned = rows,
            RowsMeasured = WrittenListings.Final.Count,
        };
    }

    public override TrainedModel Refit(IProgress<WorkProgress>? progress, CancellationToken ct) => Measured();

    public override TrainedModel Measured() => new(
        model.Save(), new { reader = "names and what stands beside numbers", quality = "rule: facts that most sellers state" }, new { listings = rows, writtenByHand = WrittenListings.Final.Count }, until, rows);

    private static MetricRow Figure(string name, FactReader reader, IReadOnlyList<WrittenListing> listings)
    {
        // F1 is twice what was read right by what was read and what there is to read.
        var counts = listings.Select(listing => Count(listing, reader.Read(listing.Title, listing.Text).Known())).ToArray();
        return new MetricRow(name, F1(Shares(reader, listings)), F1(Plain(listings)), "plain patterns")
            .Within(HeldOutUnits.Rows(listings.Count).Ratio([.. counts.Select(one => 2.0 * one.Right)], [.. counts.Select(one => (double)(one.Said + one.True))]));
    }

    private static (double Precision, double Recall) Shares(FactReader reader, IReadOnlyList<WrittenListing> listings) => Of(listings, listing => reader.Read(listing.Title, listing.Text).Known());

    // The baseline: names as they are spelt, the first year, the number before "km", the first amount with a currency, words of gear and fuel wherever they stand.
    private static (double Precision, double Recall) Plain(IReadOnlyList<WrittenListing> listings)
    {
        var names = new Gazetteer(StandingNames.All);
        return Of(listings, listing =>
        {
            var tokens = QueryTokens.Of($"{listing.Title} {listing.Text}");
            var said = names.Find(tokens).Where(found => found.Exact && found.Name.Slot is not ("place" or "use")).DistinctBy(found => found.Name.Slot)
                .Select(found => (found.Name.Slot == "body" ? "bodyType" : found.Name.Slot, found.Name.Value)).ToList();
            var amounts = SearchIntentModel.SpansByNames(tokens, names).Where(span => span.Slot is "year" or "price_max").ToArray();
            said.AddRange(amounts.Where(span => span.Slot == "year").Take(1).Select(span => ("year", tokens[span.First].Text)));
            said.AddRange(amounts.Where(span => span.Slot == "price_max" && !(span.First + span.Count < tokens.Count && tokens[span.First + span.Count].Text is "km" or "millas")).Take(1)
                .Select(span => SlotValues.Amount([.. tokens.Skip(span.First).Take(span.Count).Select(token => token.Text)])).OfType<Money>()
                .Select(money => ("price", string.Create(CultureInfo.InvariantCulture, $"{money.Amount:0} {money.Currency}"))));
            said.AddRange(amounts.Where(span => span.First + span.Count < tokens.Count && tokens[span.First + span.Count].Text == "km").Take(1)
                .Select(span => SlotValues.Amount([tokens[span.First].Text], 1, "DOP")).OfType<Money>().Select(money => ("mileageKm", money.Amount.ToString("0", CultureInfo.InvariantCulture))));
            return said;
        });
    }

    private static (double Precision, double Recall) Of(IReadOnlyList<WrittenListing> listings, Func<WrittenListing, IEnumerable<(string Name, string Value)>> read)
    {
        var (right, said, true_) = (0, 0, 0);
        foreach (var listing in listings)
        {
            var counts = Count(listing, read(listing));
            right += counts.Right;
            said += counts.Said;
            true_ += counts.True;
        }

        return (said == 0 ? 0 : (double)right / said, (double)right / true_);
    }

    private static (int Right, int Said, int True) Count(WrittenListing listing, IEnumerable<(string Name, string Value)> read)
    {
        var facts = read.Distinct().ToArray();
        return (facts.Count(listing.Facts.Contains), facts.Length, listing.Facts.Count);
    }

    private static double F1((double Precision, double Recall) shares) => shares.Precision + shares.Recall == 0 ? 0 : 2 * shares.Precision * shares.Recall / (shares.Precision + shares.Recall);

    private static double Agreement(FactReader reader, IReadOnlyList<ItemSnapshot> stated)
    {
        var (same, both) = (0, 0);
        foreach (var item in stated.Select(snapshot => snapshot.Item))
        {
            foreach (var (name, value) in reader.Read(item.Title, item.Description).Known())
            {
                if (name is "year" or "fuel" or "transmission" or "make" or "mileageKm" && PriceFeatures.Plain(item.Text(name)) is { } other)
                {
                    both++;
                    same += name is "year" or "mileageKm" ? Math.Abs(double.Parse(value, CultureInfo.InvariantCulture) - (item.Number(name) ?? double.NaN)) < 2 ? 1 : 0 : PriceFeatures.Plain(value) == other ? 1 : 0;
                }
            }
        }

        return both == 0 ? double.NaN : (double)same / both;
    }

    // Spearman's correlation of the score with contacts a day on the market: what a good text is worth, if anything.
    private async Task<double> ContactsAsync(IReadOnlyList<ItemSnapshot> items, CancellationToken ct)
    {
        var contacts = await source.ReadAsync("contacts by item", from => CountAsync(from, ct), ct);
        var old = items.Where(item => (until - item.ListedAt).TotalDays >= 14).ToArray();
        if (contacts.Count < 100 || old.Length < 200)
        {
            return double.NaN;
        }

        double[] quality = [.. old.Select(item => (double)model.Judge(item.Item).Quality)];
        double[] asked = [.. old.Select(item => contacts.GetValueOrDefault(item.Item.Id) / Math.Max(1, ((item.Status == "live" ? until : item.UpdatedAt) - item.ListedAt).TotalDays))];
        return Correlation(Ranks(quality), Ranks(asked));
    }

    private async Task<Dictionary<string, int>> CountAsync(FrameSource from, CancellationToken ct)
    {
        var contacts = new Dictionary<string, int>(StringComparer.Ordinal);
        var words = new Words();
        foreach (var (item, _) in await from.EventsAsync<(string Item, DateTimeOffset At)>(
            [EventTypes.Contacted], one => one.KnownAt <= until && one.Read<BehaviourEvent>().ItemId is { } id ? (words.Of(id), one.OccurredAt) : null, ct))
        {
            contacts[item] = contacts.GetValueOrDefault(item) + 1;
        }

        return contacts;
    }

    private static double[] Ranks(double[] values)
    {
        var order = Enumerable.Range(0, values.Length).OrderBy(i => values[i]).ToArray();
        var ranks = new double[values.Length];
        for (var i = 0; i < order.Length;)
        {
            var end = i;
            while (end < order.Length && values[order[end]].Equals(values[order[i]]))
            {
                end++;
            }

            for (var at = i; at < end; at++)
            {
                ranks[order[at]] = (i + end - 1) / 2.0;
            }

            i = end;
        }

        return ranks;
    }

    private static double Correlation(double[] a, double[] b)
    {
        var (meanA, meanB) = (a.Average(), b.Average());
        var (top, bottom) = (a.Zip(b).Sum(pair => (pair.First - meanA) * (pair.Second - meanB)), Math.Sqrt(a.Sum(x => (x - meanA) * (x - meanA)) * b.Sum(x => (x - meanB) * (x - meanB))));
        return bottom == 0 ? 0 : top / bottom;
    }
}
