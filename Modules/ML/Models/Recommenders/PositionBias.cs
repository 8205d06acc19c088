using OKLA.Shared.Contracts;

namespace OKLA.ML.Models.Recommenders;

/// <summary>
/// How likely a place in a shown list is looked at, from how often each place was clicked when it was shown (position-based model, Richardson et al. 2007):
/// place 0 counts as looked at. Rates are smoothed, made to fall, and a click's inverse is clipped, so that rare clicks far down do not drown the rest
/// (Joachims et al. 2017). Where lists are sorted by relevance the rates hold relevance too, so that the correction is then less than the truth asks for.
/// </summary>
internal sealed class PositionBias
{
    private const double PriorShown = 50;
    private readonly float[] chances;
    private readonly float most;
    private readonly Dictionary<(int Person, int Item), int> clicked = [];
    private readonly InteractionFrame frame;

    public PositionBias(InteractionFrame frame, IEnumerable<int> rows, RecommenderKnobs knobs)
    {
        this.frame = frame;
        most = (float)knobs.MostInversePropensity;
        var (shown, clicks) = (new List<double>(), new List<double>());
        foreach (var length in frame.ListsShown)
        {
            Grow(shown, length);
            for (var place = 0; place < length; place++)
            {
                shown[place]++;
            }
        }

        foreach (var row in rows)
        {
            if (row < frame.Position.Length && frame.Position[row] is >= 0 and var place && place < shown.Count)
            {
                Grow(clicks, place + 1);
                clicks[place]++;
                clicked.TryAdd((frame.Person[row], frame.Item[row]), place);
            }
        }

        chances = Chances(shown, clicks);
    }

    /// <summary>By place, the chance that it is looked at, as a share of the first place's.</summary>
    public IReadOnlyList<float> Propensities => chances;

    /// <summary>What an event counts: more when the person came to the item by a place that is seldom looked at.</summary>
    public float Factor(int row) =>
        clicked.TryGetValue((frame.Person[row], frame.Item[row]), out var place) && place < chances.Length ? Math.Min(most, 1 / chances[place]) : 1;

    /// <summary>Smoothed rates of places as shares of the first one, never rising. Empty where nothing was shown or clicked.</summary>
    internal static float[] Chances(IReadOnlyList<double> shown, IReadOnlyList<double> clicks)
    {
        if (clicks.Count == 0 || shown.Count == 0 || clicks.Sum() == 0)
        {
            return [];
        }

        var rate = clicks.Sum() / shown.Sum();
        var rates = new float[shown.Count];
        for (var place = 0; place < rates.Length; place++)
        {
            var own = ((place < clicks.Count ? clicks[place] : 0) + (PriorShown * rate)) / (shown[place] + PriorShown);
            rates[place] = (float)(place == 0 ? own : Math.Min(own, rates[place - 1]));
        }

        return Array.ConvertAll(rates, value => value / rates[0]);
    }

    private static void Grow(List<double> list, int length)
    {
        while (list.Count < length)
        {
            list.Add(0);
        }
    }
}
