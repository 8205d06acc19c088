namespace OKLA.Host.Demo;

/// <summary>
/// What comes of contacting a seller: the logistic model by which a contact ends in a deal. How much the person wants the vehicle, how soon
/// they need one, how well the seller serves and the way taken add up to log-odds. The first two are of the person and the pair, the third of
/// the seller; none of them is in any event.
/// </summary>
/// <remarks>
/// Assumptions: one contact in eight to ten ends in a deal of these two parties, as dealers report of leads by internet; calls promise more
/// than forms. Days from contact to deal are exponential with mean 4.
/// </remarks>
internal sealed class DealModel(SimulationRun run)
{
    /// <summary>Log-odds of the ways: whatsapp, call, form, chat (<see cref="Visitor.Channels"/>).</summary>
    private static readonly double[] ChannelOdds = [0.1, 0.4, -0.4, 0];

    /// <summary>How soon a person needs a vehicle, standard normal.</summary>
    public double UrgencyOf(int person) => SeededRandom.Of(run.Seed, (ulong)person, 0x0E6E).Gaussian();

    /// <summary>How well a seller answers and keeps promises, standard normal.</summary>
    public double ServiceOf(string? seller) => seller is null ? 0 : SeededRandom.Of(run.Seed, SeededRandom.Key(seller), 0x5E41).Gaussian();

    /// <summary>P(deal | contact).</summary>
    /// <param name="person">Number of the person.</param>
    /// <param name="seller">Seller.</param>
    /// <param name="want">P(person wants vehicle), 0 to 1.</param>
    /// <param name="channel">Index of the way.</param>
    public double Probability(int person, string? seller, double want, int channel) =>
        Logistic(run.Choice.BaseDeal + (0.9 * Wish(want)) + (0.9 * UrgencyOf(person)) + (0.7 * ServiceOf(seller)) + ChannelOdds[channel]);

    /// <summary>P(test drive | contact).</summary>
    public double TestDrive(int person, double want) => Logistic(-1.2 + (0.7 * Wish(want)) + (0.5 * UrgencyOf(person)));

    /// <summary>Log-odds of wanting, 0 for those who want it as much as one in three.</summary>
    private static double Wish(double want) => Math.Log(want / (1 - want)) + 0.7;

    private static double Logistic(double logOdds) => 1 / (1 + Math.Exp(-logOdds));
}

/// <summary>What was sold between two simulated people, so that nothing is sold twice.</summary>
internal sealed class DealBook
{
    private readonly HashSet<string> sold = [];
    private readonly List<string> sinceTaken = [];

    public bool IsSold(string itemId) => sold.Contains(itemId);

    public void Sell(string itemId)
    {
        sold.Add(itemId);
        sinceTaken.Add(itemId);
    }

    /// <summary>What was sold since this was last asked.</summary>
    public IReadOnlyList<string> TakeNew()
    {
        string[] all = [.. sinceTaken];
        sinceTaken.Clear();
        return all;
    }
}
