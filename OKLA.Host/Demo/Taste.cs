namespace OKLA.Host.Demo;

/// <summary>What one simulated person likes; a function of the seed and the person's number alone.</summary>
/// <param name="Seed">Seed of the simulation.</param>
/// <param name="Person">Number of the person, from 0.</param>
/// <param name="Segment">Index of the kind of buyer.</param>
/// <param name="LogBudget">Natural logarithm of the budget in USD.</param>
/// <param name="PreferredAge">Age of vehicle in years that suits best.</param>
internal sealed record Taste(ulong Seed, int Person, int Segment, double LogBudget, double PreferredAge)
{
    /// <summary>Body types by the names of Dominican listings.</summary>
    public static readonly string[] Bodies = ["sedan", "jeepeta", "camioneta", "hatchback", "coupe-deportivo", "v.pesados", "motores", "barcos"];

    // Kinds of buyers. Shares, budgets and ages are assumptions, chosen so that the budgets' spread covers the asking prices of
    // 12,500 Dominican listings of 2022 (10 % below US$ 11,700, median 29,500, 10 % above 75,500) with more people at the cheap end,
    // as in a fleet of which 43 % was made before 2001 (DGII, February 2022). Columns of Bodies: log-odds added for each body type.
    private static readonly Kind[] Segments =
    [
        new("primer carro", 0.22, 9_500, 9, [0.9, -0.8, -1.5, 1.6, -0.5, -4, -0.5, -5]),
        new("familia", 0.24, 24_000, 5, [0.2, 1.8, -0.6, -0.4, -1.5, -4, -3, -5]),
        new("trabajo y carga", 0.13, 30_000, 6, [-1.2, -0.2, 2.0, -1.5, -2, 1.2, -1, -5]),
        new("taxi y plataformas", 0.10, 12_500, 7, [1.9, -1.0, -2, 1.0, -3, -4, -2, -5]),
        new("ejecutivo", 0.12, 48_000, 2, [1.2, 1.2, -0.8, -1.5, -0.2, -4, -4, -4]),
        new("lujo y deporte", 0.05, 110_000, 2, [0.4, 1.0, -0.8, -2, 1.9, -4, -1, 0]),
        new("recién casados", 0.10, 17_000, 6, [1.1, 0.9, -1.5, 0.7, -0.6, -4, -2.5, -5]),
        new("motor", 0.04, 3_500, 4, [-2, -3, -3, -1.5, -2, -5, 2.4, -5]),
    ];

    private static readonly double[] Shares = [.. Segments.Select(segment => segment.Share)];

    public static Taste Of(ulong seed, int person)
    {
        var random = SeededRandom.Of(seed, (ulong)person, 0x7A57E);
        var segment = random.Pick(Shares);
        var logBudget = Math.Log(Segments[segment].BudgetUsd) + (0.35 * random.Gaussian());
        var age = Math.Max(0, Segments[segment].PreferredAge + (2 * random.Gaussian()));
        return new Taste(seed, person, segment, logBudget, age);
    }

    /// <summary>Log-odds for a body type: the segment's and the person's own.</summary>
    public double ForBody(string body)
    {
        var place = Array.IndexOf(Bodies, body);
        var shared = place < 0 ? -1 : Segments[Segment].BodyTaste[place];
        return shared + (0.6 * SeededRandom.Of(Seed, (ulong)Person, SeededRandom.Key(body)).Gaussian());
    }

    /// <summary>Log-odds for a make: the segment's and the person's own.</summary>
    public double ForMake(string make) =>
        (0.5 * SeededRandom.Of(Seed, SeededRandom.Key(make), 0x5E600000UL + (ulong)Segment).Gaussian())
        + (0.7 * SeededRandom.Of(Seed, (ulong)Person, SeededRandom.Key(make)).Gaussian());

    private sealed record Kind(string Name, double Share, double BudgetUsd, double PreferredAge, double[] BodyTaste);
}
