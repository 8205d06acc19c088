using OKLA.Shared.Contracts;

namespace OKLA.ML.Models.Recommenders;

/// <summary>
/// What is in demand now: ln(1 + events' weight a week), where the rate of an item of few days on offer is drawn towards the mean of all
/// (empirical Bayes with a prior of some days). The same for everybody, also for whom nothing is known of.
/// </summary>
internal sealed class TrendPart : RecommenderPart
{
    public const string Key = "trending";
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
        var live = Enumerable.Range(0, weights.Length).Where(i => items[i].Status == "live").ToArray();
        var days = Array.ConvertAll(weights, _ => 0.0);
        for (var i = 0; i < days.Length; i++)
        {
            days[i] = Math.Clamp((now - items[i].ListedAt).TotalDays, 0.05, knobs.TrendDays);
        }

        var rate = live.Length == 0 ? 0 : live.Sum(i => weights[i]) / live.Sum(i => days[i]);
        var vectors = new float[weights.Length];
        for (var i = 0; i < vectors.Length; i++)
        {
            vectors[i] = Scale(SmoothedRate(weights[i], days[i], rate, knobs.TrendPriorDays));
        }

        return new TrendPart(vectors, Scale(rate));
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

    private static float Scale(double perDay) => (float)Math.Log(1 + (7 * Math.Max(0, perDay)));
}
