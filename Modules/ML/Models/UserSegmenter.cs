using System.Globalization;
using Microsoft.Extensions.Options;
using OKLA.ML.Models.Frames;
using OKLA.ML.Registry;
using OKLA.ML.Serving;
using OKLA.ML.Training;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models;

/// <summary>
/// Kinds of people by their tastes.
/// Entity: a person with at least five views within 90 days. Label: none. Features: price level, model year and body types looked at.
/// Trainer: k-means (<see cref="UserClusters"/>). Gate: a silhouette, on people not learned from, above that of as many groups by price.
/// Answer: the group, its name, how well it fits.
/// </summary>
internal sealed class UserSegmenter(FrameSource source, IOptions<MLOptions> options) : ModelDefinition
{
    public override string Name => ModelNames.UserSegmenter;

    public override string Summary => "Which kind of buyer a person is, by what she looks at.";

    public override IReadOnlyList<ModelTarget> Targets { get; } = [new("silhouette", 0.75)];

    // Everybody is counted by one version, since kinds of two could not be compared.
    public override bool MeetsRollouts => false;

    public override ModelTraining NewTraining() => new UserSegmenterTraining(source, options.Value);

    public override ModelTraining NewTraining(TrainingWorld world) => new UserSegmenterTraining(source.In(world), world.Options);

    public override IServedModel Load(byte[] artefact) => new Served(UserClusters.Load(artefact));

    /// <summary>A version in memory.</summary>
    internal sealed class Served(UserClusters model) : IServedModel
    {
        public UserClusters Model => model;

        public ModelSignature Signature { get; } = new(
            "multiclass",
            [
                new("logPriceLevel", "number", Required: true, Example: "9.8"), new("meanYear", "number", Required: true, Example: "2017"),
                .. UserClusters.Bodies.Select(body => new ModelInput($"share {body}", "number", Min: 0, Max: 1, Example: "0.2")),
            ],
            [.. model.Clusters.Select(cluster => cluster.Name)]);

        public Prediction[] Predict(IReadOnlyList<string?[]> rows, int threads = 1) =>
        [
            .. rows.Select(row => model.Fits([.. row.Select(text => double.TryParse(text, CultureInfo.InvariantCulture, out var value) ? value : 0)]))
                .Select(fits => Array.IndexOf(fits, fits.Max()) is var best ? new Prediction(fits[best], Label: Signature.Classes[best], Probabilities: fits) : null!),
        ];

        public Explanation[]? Explain(IReadOnlyList<string?[]> rows, CancellationToken ct = default) => null;
    }
}

/// <summary>Trains the kinds of people. Split: people drawn at random, as a kind is no outcome that time could tell of; a third is held out.</summary>
internal sealed class UserSegmenterTraining(FrameSource source, MLOptions options) : ModelTraining
{
    private const int LeastPeople = 3 * UserClusters.LeastPeople, MostPeople = 6_000, AtOnce = 2_000, Days = 90, Seed = 42;

    private List<double[]> people = [];
    private UserClusters measured = null!;
    private DateTimeOffset now;
    private int learned;
    private IReadOnlyList<Action> questions = [];

    public override string Model => ModelNames.UserSegmenter;

    public override IReadOnlyList<Action> Questions => questions;

    public override bool LargerIsBetter => true;

    public override async Task<HeldOut> EvaluateAsync((byte[] Artefact, DateTimeOffset Until)? serving, IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        progress?.Report(new WorkProgress(0, "reading people"));
        now = source.Now;
        // The ids are kept beside the tastes, so that an erased person is found in what the run read.
        people = [.. (await source.ReadAsync("tastes", from => ReadAsync(from, new ProgressPart(progress, 0, 0.6), ct), ct)).Select(one => one.Tastes)];
        if (people.Count < LeastPeople)
        {
            throw new TooLittleDataException($"There are {people.Count} people whose tastes are known; {LeastPeople} are needed.");
        }

        // A third chooses the number of groups, a third is measured on.
        var third = people.Count / 3;
        var (train, choosing, test) = (people[..third], people[third..(2 * third)], people[(2 * third)..]);
        progress?.Report(new WorkProgress(0.6, "clustering"));
        (measured, var tried) = UserClusters.Choose(train, choosing, Seed);
        learned = train.Count;
        var k = measured.Clusters.Count;
        var again = UserClusters.Fit(choosing, k, Seed);
        double[] prices = [.. train.Select(row => row[0]).Order()];
        int[] byPrice = [.. test.Select(row => Enumerable.Range(1, k - 1).Count(cut => row[0] > prices[cut * prices.Length / k]))];
        var figures = string.Join("; ", tried.Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.K}: {one.Silhouette:0.000} and {one.Agreement:0.00}")));
        var served = new UserSegmenter.Served(measured);
        questions = [.. test.Take(HeldOutQuestions.Most).Select(row => Array.ConvertAll(row, value => (string?)value.ToString("R", CultureInfo.InvariantCulture))).Select(row => (Action)(() => served.Predict([row])))];
        var widths = measured.Silhouettes(test, Seed);
        return new HeldOut(
            string.Create(CultureInfo.InvariantCulture, $"people drawn at random: {train.Count} to learn from, {choosing.Count} to choose the number by (silhouette and agreement of two halves: {figures}), {test.Count} to measure on; {string.Join(", ", measured.Clusters.Select(cluster => $"{cluster.Name} {cluster.Share:P0}"))}"),
            [
                new MetricRow("silhouette", widths.DefaultIfEmpty().Average(), measured.SilhouetteOf(test, byPrice, Seed), "as many groups by price").Within(HeldOutUnits.Rows(widths.Length, Seed).Mean(widths)),
                new MetricRow("agreement of two samples", UserClusters.AgreementOf([.. test.Select(measured.Assign)], [.. test.Select(again.Assign)]), 0, "chance"),
                new MetricRow("groups", k, null, ""),
                new MetricRow("smallest group's share", measured.Clusters.Min(cluster => cluster.Share), null, ""),
            ],
            serving is { } old ? UserClusters.Load(old.Artefact).Silhouette(test, Seed) : null)
        {
            RowsLearned = train.Count,
            RowsMeasured = test.Count,
        };
    }

    public override TrainedModel Refit(IProgress<WorkProgress>? progress, CancellationToken ct) =>
        new(UserClusters.Fit(people, measured.Clusters.Count, Seed).Save(), new { Seed, groups = measured.Clusters.Count }, Data(), now, people.Count);

    public override TrainedModel Measured() => new(measured.Save(), new { Seed, groups = measured.Clusters.Count }, Data(), now, learned);

    private object Data() => new { people = people.Count, asOf = now, days = Days, threads = options.Threads };

    /// <summary>Tastes of the people who looked within the last days, in an order drawn by the seed.</summary>
    private async Task<IReadOnlyList<Person>> ReadAsync(FrameSource from, ProgressPart progress, CancellationToken ct)
    {
        var owner = await from.OwnersAsync(ct, now);
        var (words, since) = (new Words(), now.AddDays(-Days));
        var looks = await from.EventsAsync<(string Person, DateTimeOffset At)>(
            [EventTypes.ItemViewed], look => look.OccurredAt > since && look.KnownAt <= now ? (words.Of(owner(look.Read<BehaviourEvent>().PersonId)), look.OccurredAt) : null, ct);
        var ids = looks.Select(look => look.Person).ToHashSet(StringComparer.Ordinal);
        var drawn = ids.Order(StringComparer.Ordinal).ToArray();
        new Random(Seed).Shuffle(drawn);
        var tastes = new List<Person>();
        foreach (var some in drawn.Chunk(AtOnce).TakeWhile(_ => tastes.Count < MostPeople))
        {
            var rows = some.Select(id => new SpineRow(now, null, UserId: id)).ToArray();
            var known = await from.Bus.InvokeAsync<IReadOnlyList<object?[]>>(new ReadFeatures(rows, UserClusters.Features), ct);
            tastes.AddRange(some.Zip(known.Select(UserClusters.Tastes)).Where(one => one.Second is not null).Select(one => new Person(one.First, one.Second!)));
            progress.Report(new WorkProgress(Math.Min(1, (double)tastes.Count / MostPeople), $"{tastes.Count:N0} people"));
        }

        return [.. tastes.Take(MostPeople)];
    }

    private sealed record Person(string Id, double[] Tastes);
}
