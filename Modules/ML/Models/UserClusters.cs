using System.Globalization;
using System.Text.Json;
using OKLA.ML.Algorithms.Clustering;

namespace OKLA.ML.Models;

/// <summary>
/// Kinds of people by what they look at: k-means on standardised tastes. Their number is the one whose groups lie furthest apart on people that were not
/// learned from (silhouette, Rousseeuw 1987) among those that two halves of the people agree about (adjusted Rand index, Hubert and Arabie 1985).
/// </summary>
internal sealed class UserClusters
{
    private const string Kind = "OKLA.UserClusters";
    /// <summary>People below which no number of groups can be chosen: halves of them must hold a few of each group.</summary>
    public const int LeastPeople = 2 * Fewest * LeastOfGroup;

    private const int Format = 1, Fewest = 3, Most = 10, LeastOfGroup = 20, SilhouetteSample = 800, Starts = 6;

    /// <summary>How well two halves must agree about a number of groups.</summary>
    private const double StableIndex = 0.7;

    /// <summary>Shares of body types that tell groups apart; the rest are rare.</summary>
    public static readonly string[] Bodies = ["sedan", "jeepeta", "camioneta", "hatchback", "coupe-deportivo", "motores"];

    /// <summary>Features that are read of a person.</summary>
    public static readonly string[] Features = ["user.log_price_level_90d", "user.mean_year_90d", "user.body_shares", "user.views_90d"];

    private readonly State state;

    private UserClusters(State state) => this.state = state;

    /// <summary>A group of people.</summary>
    /// <param name="Number">Number, from 0, the largest group first.</param>
    /// <param name="Name">What tells it from the others, in Spanish.</param>
    /// <param name="Traits">The same in more words, the clearest trait first.</param>
    /// <param name="Share">Share of the people learned from.</param>
    public sealed record Cluster(int Number, string Name, IReadOnlyList<string> Traits, double Share);

    /// <summary>How a number of groups did.</summary>
    /// <param name="K">Number.</param>
    /// <param name="Silhouette">Mean silhouette of people not learned from.</param>
    /// <param name="Agreement">Adjusted Rand index of two halves.</param>
    public sealed record Tried(int K, double Silhouette, double Agreement);

    private sealed record State(double[] Means, double[] Deviations, double[][] Centres, IReadOnlyList<Cluster> Clusters);

    /// <summary>The groups, the largest first.</summary>
    public IReadOnlyList<Cluster> Clusters => state.Clusters;

    /// <summary>A person's tastes as numbers; null when too little is known: fewer than five views.</summary>
    /// <param name="values">Values of <see cref="Features"/>.</param>
    public static double[]? Tastes(IReadOnlyList<object?> values) =>
        values is [double price, double year, IReadOnlyDictionary<string, double> shares, double views] && views >= 5
            ? [price, year, .. Bodies.Select(body => shares.GetValueOrDefault(body))]
            : null;

    /// <summary>Learns groups of a given number, of those that are tried where there is none given.</summary>
    /// <param name="people">Tastes of people.</param>
    /// <param name="held">Tastes of people that choose the number.</param>
    /// <param name="seed">Seed.</param>
    public static (UserClusters Model, IReadOnlyList<Tried> Tried) Choose(IReadOnlyList<double[]> people, IReadOnlyList<double[]> held, int seed)
    {
        var tried = new List<Tried>();
        var half = people.Count / 2;
        for (var k = Fewest; k <= Most && k * LeastOfGroup <= half; k++)
        {
            var (one, other) = (Fit([.. people.Take(half)], k, seed), Fit([.. people.Skip(half)], k, seed));
            var whole = Fit(people, k, seed);
            tried.Add(new Tried(k, whole.Silhouette(held, seed), AgreementOf([.. held.Select(one.Assign)], [.. held.Select(other.Assign)])));
        }

        var best = tried.Where(one => one.Agreement >= StableIndex).DefaultIfEmpty(tried.MaxBy(one => one.Agreement)!).MaxBy(one => one.Silhouette)!;
        return (Fit(people, best.K, seed), tried);
    }

    /// <summary>Learns <paramref name="k"/> groups.</summary>
    public static UserClusters Fit(IReadOnlyList<double[]> people, int k, int seed)
    {
        var columns = people[0].Length;
        double[] means = [.. Enumerable.Range(0, columns).Select(c => people.Average(row => row[c]))];
        double[] deviations = [.. Enumerable.Range(0, columns).Select(c => Math.Max(1e-6, Math.Sqrt(people.Average(row => (row[c] - means[c]) * (row[c] - means[c])))))];
        double[][] rows = [.. people.Select(row => Standard(row, means, deviations))];
        var found = KMeans.Fit(rows, k, Starts, seed: seed);
        var sizes = Enumerable.Range(0, k).Select(c => found.Labels.Count(label => label == c)).ToArray();
        int[] order = [.. Enumerable.Range(0, k).OrderByDescending(c => sizes[c]).ThenBy(c => c)];
        double[][] centres = [.. order.Select(c => found.Centres[c].ToArray())];
        var clusters = new List<Cluster>();
        for (var c = 0; c < k; c++)
        {
            var (name, traits) = Describe(centres[c], means, deviations);
            for (var again = 2; clusters.Exists(cluster => cluster.Name == name); again++)
            {
                name = $"{Describe(centres[c], means, deviations).Name} ({again})";
            }

            clusters.Add(new Cluster(c, name, traits, Math.Round((double)sizes[order[c]] / people.Count, 4)));
        }

        return new UserClusters(new State(means, deviations, centres, clusters));
    }

    /// <summary>The group of a person: the nearest centre.</summary>
    public int Assign(double[] tastes) => Fits(tastes) is var fits ? Array.IndexOf(fits, fits.Max()) : 0;

    /// <summary>How well each group fits a person, adding up to 1: equal spheres of the deviation of one standardised taste.</summary>
    public double[] Fits(double[] tastes)
    {
        var row = Standard(tastes, state.Means, state.Deviations);
        double[] scores = [.. state.Centres.Select(centre => -0.5 * centre.Zip(row, (c, v) => (c - v) * (c - v)).Sum())];
        var top = scores.Max();
        double[] weights = [.. scores.Select(score => Math.Exp(score - top))];
        var sum = weights.Sum();
        return Array.ConvertAll(weights, weight => weight / sum);
    }

    /// <summary>Where a person stands among the others: tastes in standard deviations from the mean, so that distances mean the same in each.</summary>
    public double[] PlaceOf(double[] tastes) => Standard(tastes, state.Means, state.Deviations);

    /// <summary>Where a group stands.</summary>
    public IReadOnlyList<double> CentreOf(int cluster) => state.Centres[cluster];

    /// <summary>Mean silhouette of people in their groups; 0 where all fall into one.</summary>
    public double Silhouette(IReadOnlyList<double[]> people, int seed) => Silhouettes(people, seed).DefaultIfEmpty().Average();

    /// <summary>The silhouettes of single people, of as many as <see cref="Silhouette"/> asks; none where all fall into one group.</summary>
    public double[] Silhouettes(IReadOnlyList<double[]> people, int seed) => people.Select(Assign).ToArray() is var labels && labels.Distinct().Count() < 2 ? []
        : ClusterQuality.Silhouettes([.. people.Select(row => Standard(row, state.Means, state.Deviations))], labels, SilhouetteSample, seed);

    /// <summary>Mean silhouette of people in any groups, on the scale of this model; 0 where all fall into one.</summary>
    public double SilhouetteOf(IReadOnlyList<double[]> people, int[] labels, int seed) => labels.Distinct().Count() < 2 ? 0
        : ClusterQuality.Silhouette([.. people.Select(row => Standard(row, state.Means, state.Deviations))], labels, SilhouetteSample, seed);

    /// <summary>Adjusted Rand index: 1 when two groupings agree, 0 on average when they have nothing to do with each other (Hubert and Arabie 1985, eq. 5).</summary>
    internal static double AgreementOf(int[] one, int[] other) => AgreementOf([.. one.Zip(other).CountBy(pair => pair).Select(cell => (cell.Key.First, cell.Key.Second, (long)cell.Value))]);

    /// <summary>The same from how many people are in a group of the one and a group of the other.</summary>
    internal static double AgreementOf(IReadOnlyCollection<(int One, int Other, long People)> counts)
    {
        static double Pairs(double n) => n * (n - 1) / 2;
        var cells = counts.Sum(cell => Pairs(cell.People));
        var rows = counts.GroupBy(cell => cell.One).Sum(group => Pairs(group.Sum(cell => cell.People)));
        var columns = counts.GroupBy(cell => cell.Other).Sum(group => Pairs(group.Sum(cell => cell.People)));
        var all = Pairs(counts.Sum(cell => cell.People));
        var (expected, most) = (rows * columns / all, (rows + columns) / 2);
        return most == expected ? 1 : (cells - expected) / (most - expected);
    }

    /// <summary>The model as bytes.</summary>
    public byte[] Save()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(Kind);
        writer.Write(Format);
        writer.Write(JsonSerializer.Serialize(state));
        writer.Flush();
        return stream.ToArray();
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Something else, or of another format.</exception>
    public static UserClusters Load(byte[] artefact)
    {
        using var reader = new BinaryReader(new MemoryStream(artefact));
        return reader.ReadString() == Kind && reader.ReadInt32() == Format
            ? new UserClusters(JsonSerializer.Deserialize<State>(reader.ReadString())!)
            : throw new InvalidDataException("This is not a model of kinds of people of a known format.");
    }

    private static double[] Standard(double[] row, double[] means, double[] deviations) => [.. row.Select((value, c) => (value - means[c]) / deviations[c])];

    /// <summary>A name from the body type that stands out and the price, and the traits that differ by half a deviation or more.</summary>
    private static (string Name, IReadOnlyList<string> Traits) Describe(double[] centre, double[] means, double[] deviations)
    {
        double Plain(int c) => means[c] + (centre[c] * deviations[c]);
        var usd = Texts.Spanish["cluster.usd", (Math.Round(Math.Exp(Plain(0)) / 500) * 500).ToString("N0", CultureInfo.GetCultureInfo("es-DO"))];
        var body = Enumerable.Range(0, Bodies.Length).MaxBy(b => centre[b + 2]);
        var name = Plain(body + 2) >= 0.35 ? Texts.Spanish["cluster.name", Texts.Spanish[$"cluster.{Bodies[body]}"], usd] : Texts.Spanish["cluster.mixed", usd];
        List<string> traits =
        [
            .. Enumerable.Range(0, centre.Length).Where(c => Math.Abs(centre[c]) >= 0.5).OrderByDescending(c => Math.Abs(centre[c])).Take(4).Select(c => c switch
            {
                0 => Texts.Spanish[centre[c] > 0 ? "cluster.dear" : "cluster.cheap", usd],
                1 => Texts.Spanish[centre[c] > 0 ? "cluster.newer" : "cluster.older", Math.Round(Plain(c)).ToString("0", CultureInfo.InvariantCulture)],
                _ => Texts.Spanish[centre[c] > 0 ? "cluster.more" : "cluster.less", Texts.Spanish[$"cluster.{Bodies[c - 2]}"].ToLowerInvariant(), Math.Clamp(Plain(c), 0, 1)],
            }),
        ];
        return (name, traits);
    }
}
