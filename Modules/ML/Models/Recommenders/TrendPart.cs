using OKLA.Shared.Contracts;

namespace OKLA.ML.Models.Recommenders;

/// <summary>
/// What is in demand now: ln(1 + events' weight a week), where the rate of an item of few days on offer is drawn towards the mean of all
/// (empirical Bayes with a prior of some days). The same for everybody, also for whom nothing is known of.
/// </summary>
internal sealed class TrendPart : RecommenderPart
{
    public const string Key = "trending";
    private const double LeastDays = 0.05;
    private readonly float mean;

    private TrendPart(float[] vectors, float mean)
        : base(1, vectors) => this.mean = mean;

    public override string Name => Key;

    /// <param name="weights">By item, weight of the events of the last <see cref="RecommenderKnobs.TrendDays"/>.</param>
    /// <param name="items">The items.</param>
    /// <param name="now">End of those days.</param>
    /// <param name="knobs">The settings.</param>
    public static TrendPart Fit(double[] weights, IReadOnlyList<ItemSnapshot> items, DateTimeOffset now, RecommenderKnobs knobs)
    {
        var days = items.Select(item => Math.Clamp((now - item.ListedAt).TotalDays, LeastDays, knobs.TrendDays)).ToArray();
        return Of(weights, days, i => items[i].Status == "live", knobs.TrendPriorDays);
    }

    /// <summary>The trend of now.</summary>
    /// <param name="weights">By item, weight of the events of some days.</param>
    /// <param name="listedAt">By item, since when it is on offer; null for one that is not.</param>
    /// <param name="from">Beginning of those days.</param>
    /// <param name="now">Their end.</param>
    /// <param name="priorDays">See <see cref="SmoothedRate"/>.</param>
    public static TrendPart Of(double[] weights, DateTimeOffset?[] listedAt, DateTimeOffset from, DateTimeOffset now, double priorDays)
    {
        var days = Array.ConvertAll(listedAt, at => Math.Max(LeastDays, (now - (at > from ? at.Value : from)).TotalDays));
        return Of(weights, days, i => listedAt[i] is not null, priorDays);
    }

    /// <summary>Events a day, as if <paramref name="priorDays"/> more had been seen at the rate of all.</summary>
    public static double SmoothedRate(double weight, double days, double rate, double priorDays) => (Math.Max(0, weight) + (priorDays * rate)) / (days + priorDays);

    public override float[] Person(PersonTaste taste) => [1];

    public override RecommenderPart With(NewItems added)
    {
        var vectors = Extended(added.Items.Count);
        vectors.AsSpan(added.First).Fill(mean);
        return new TrendPart(vectors, mean);
    }

    public override void Save(BinaryWriter writer)
    {
        writer.Write(mean);
        Write(writer, Vectors);
    }

    public static TrendPart Load(BinaryReader reader)
    {
        var mean = reader.ReadSingle();
        return new TrendPart(Read(reader), mean);
    }

    /// <summary>The rate of all is that of what is on offer; what is gone has its own, drawn towards it.</summary>
    private static TrendPart Of(double[] weights, double[] days, Func<int, bool> isLive, double priorDays)
    {
        var live = Enumerable.Range(0, weights.Length).Where(isLive).ToArray();
        var rate = live.Length == 0 ? 0 : live.Sum(i => weights[i]) / live.Sum(i => days[i]);
        return new TrendPart([.. weights.Select((weight, i) => Scale(SmoothedRate(weight, days[i], rate, priorDays)))], Scale(rate));
    }

    private static float Scale(double perDay) => (float)Math.Log(1 + (7 * Math.Max(0, perDay)));
}
