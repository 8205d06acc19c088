namespace OKLA.ML.Models.Series;

/// <summary>
/// How applications of a channel answer to money: Most / (1 + (HalfUsd / usd)^Shape) an hour (Hill; Jin et al. 2017, section 2.2) times the factors of hour, weekday,
/// campaign and competition.
/// </summary>
/// <param name="Channel">Channel.</param>
/// <param name="Most">Applications an hour that no money can pass, at mean season.</param>
/// <param name="HalfUsd">Dollars an hour that bring half of those.</param>
/// <param name="Shape">Exponent.</param>
/// <param name="Hours">Factor by hour of the day in Santo Domingo; their mean is 1.</param>
/// <param name="Weekdays">Factor by weekday from Sunday; their mean is 1.</param>
/// <param name="Campaigns">Factor by campaign, drawn towards 1 where little is known; 1 for others.</param>
/// <param name="Competition">Logarithm of the factor for a competition of 1 against one of 0.</param>
/// <param name="Pacing">Usual share of a day's money by hour of the day.</param>
/// <param name="DailyUsd">Mean dollars a day of one campaign lately.</param>
/// <param name="Running">Campaigns that spent on it lately.</param>
/// <param name="LeastHourlyUsd">One hour in twenty spent less.</param>
/// <param name="MostHourlyUsd">One hour in twenty spent more: beyond it the curve is a guess.</param>
/// <param name="Draws">Most, HalfUsd and Shape of fits to weeks drawn with replacement (block bootstrap).</param>
internal sealed record ResponseCurve(
    string Channel, double Most, double HalfUsd, double Shape, double[] Hours, double[] Weekdays, Dictionary<string, double> Campaigns, double Competition, double[] Pacing, double DailyUsd,
    int Running, double LeastHourlyUsd, double MostHourlyUsd, double[][] Draws)
{
    private const double Prior = 20;

    /// <summary>Applications an hour of mean season.</summary>
    public double Hourly(double usd) => Hill(usd, HalfUsd, Shape) * Most;

    /// <summary>Applications a day of a campaign that spends so much a day in the usual hours.</summary>
    public double Daily(double usd) => Daily(usd, Most, HalfUsd, Shape);

    /// <summary>The lower and upper end of what <see cref="Daily(double)"/> may be: of ten draws one below, one above.</summary>
    public (double Low, double High) DailyInterval(double usd) => Interval(draw => Daily(usd, draw[0], draw[1], draw[2]));

    /// <summary>The same for <see cref="Hourly"/>.</summary>
    public (double Low, double High) HourlyInterval(double usd) => Interval(draw => draw[0] * Hill(usd, draw[1], draw[2]));

    /// <summary>Applications that one more dollar a day brings.</summary>
    public double Marginal(double usd) => (Daily(usd * 1.01 + 0.01) - Daily(usd)) / (usd * 0.01 + 0.01);

    /// <summary>Applications to be expected of an hour.</summary>
    public double Expected(CampaignSeries series, int hour) => Factor(series, hour) * Hourly(series.Usd[hour]);

    /// <summary>Shares of the half-way value, 0 to 1.</summary>
    public static double Hill(double usd, double half, double shape) => usd <= 0 ? 0 : 1 / (1 + Math.Pow(half / usd, shape));

    /// <summary>Everything but the money.</summary>
    public double Factor(CampaignSeries series, int hour) =>
        Hours[series.LocalHour(hour)] * Weekdays[series.Weekday(hour)] * Campaigns.GetValueOrDefault(series.Campaign, 1) * Math.Exp(Competition * (series.Competition[hour] - 0.5));

    /// <summary>
    /// Fits by alternating Poisson maximum likelihood: the curve over a grid of half-way dollars and exponents (<see cref="Grid"/>); then each factor in closed form
    /// with a prior of <see cref="Prior"/> applications. Hours in which something was broken are set aside after the first round: counts that a Poisson count of their mean
    /// would hardly ever be, and dollars three times those of the same hour of the day.
    /// </summary>
    public static ResponseCurve Fit(string channel, IReadOnlyList<CampaignSeries> series, int bootstraps, int seed)
    {
        var rows = series.SelectMany(one => Enumerable.Range(0, one.Length).Where(hour => one.Usd[hour] > 0).Select(hour => (Series: one, Hour: hour))).ToList();
        var sorted = rows.Select(row => row.Series.Usd[row.Hour]).Order().ToArray();
        var (low, high) = (sorted[sorted.Length / 20], sorted[sorted.Length * 19 / 20]);
        var usual = series.ToDictionary(one => one, one => Enumerable.Range(0, 24).Select(hour => Median(Enumerable.Range(0, one.Length).Where(i => one.LocalHour(i) == hour && one.Usd[i] > 0).Select(i => one.Usd[i]))).ToArray());
        rows.RemoveAll(row => row.Series.Usd[row.Hour] > 3 * usual[row.Series][row.Series.LocalHour(row.Hour)]);
        var lately = series.Select(one => (Usd: one.Usd.TakeLast(24 * 14).Sum() / 14, one)).Where(pair => pair.Usd > 0).ToList();
        var pacing = new double[24];
        foreach (var (one, hour) in rows)
        {
            pacing[one.LocalHour(hour)] += one.Usd[hour];
        }

        var spent = pacing.Sum();
        var curve = new ResponseCurve(
            channel, 1, sorted[sorted.Length / 2], 1, [.. Enumerable.Repeat(1.0, 24)], [.. Enumerable.Repeat(1.0, 7)], series.Select(one => one.Campaign).Distinct().ToDictionary(id => id, _ => 1.0), 0,
            [.. pacing.Select(share => share / spent)], lately.Count == 0 ? 0 : lately.Average(pair => pair.Usd), lately.Count, low, high, []);
        // Five rounds come to rest: the factors hardly depend on the curve.
        for (var round = 0; round < 5; round++)
        {
            var (most, half, shape) = Grid.Of(curve, rows, Window.Whole(curve)).Best(null);
            curve = curve with { Most = most, HalfUsd = half, Shape = shape };
            curve = curve.WithFactors(rows);
            if (round == 1)
            {
                var now = curve;
                rows.RemoveAll(row => IsBroken(row.Series.Applications[row.Hour], now.Expected(row.Series, row.Hour)) || IsSilent(now, row.Series, row.Hour));
            }
        }

        // Much data leaves fewer curves in doubt than the grid has between two of its own: it is drawn closer around those until they differ by several steps.
        var window = Window.Whole(curve);
        while (true)
        {
            var grid = Grid.Of(curve, rows, window);
            var (best, random) = (grid.Best(null), new Random(seed));
            (double Most, double Half, double Shape)[] draws = [.. Enumerable.Range(0, bootstraps).Select(_ => grid.Best(random))];
            if (window.Around([best, .. draws]) is not { } closer)
            {
                return curve with { Most = best.Most, HalfUsd = best.Half, Shape = best.Shape, Draws = Array.ConvertAll(draws, draw => new[] { draw.Most, draw.Half, draw.Shape }) };
            }

            window = closer;
        }
    }

    private ResponseCurve WithFactors(List<(CampaignSeries Series, int Hour)> rows)
    {
        double[] Factors(int count, Func<(CampaignSeries Series, int Hour), int> place, double[] present)
        {
            var (seen, wanted) = (new double[count], new double[count]);
            foreach (var row in rows)
            {
                seen[place(row)] += row.Series.Applications[row.Hour];
                wanted[place(row)] += Expected(row.Series, row.Hour);
            }

            var made = seen.Select((sum, i) => present[i] * (sum + Prior) / (wanted[i] + Prior)).ToArray();
            var mean = made.Average();
            return Array.ConvertAll(made, factor => factor / mean);
        }

        var next = this with { Hours = Factors(24, row => row.Series.LocalHour(row.Hour), Hours) };
        next = next with { Weekdays = next.WeekdayFactors(rows, Factors) };
        var ids = next.Campaigns.Keys.ToArray();
        var campaigns = next.Of(rows, ids);
        // One Newton step on the competition, whose likelihood is concave.
        var (slope, bend) = (0.0, 1.0);
        foreach (var row in rows)
        {
            var (expected, x) = (next.Expected(row.Series, row.Hour), row.Series.Competition[row.Hour] - 0.5);
            slope += (row.Series.Applications[row.Hour] - expected) * x;
            bend += expected * x * x;
        }

        return next with { Campaigns = campaigns, Competition = next.Competition + (slope / bend) };
    }

    private double[] WeekdayFactors(List<(CampaignSeries Series, int Hour)> rows, Func<int, Func<(CampaignSeries Series, int Hour), int>, double[], double[]> factors) =>
        factors(7, row => row.Series.Weekday(row.Hour), Weekdays);

    private Dictionary<string, double> Of(List<(CampaignSeries Series, int Hour)> rows, string[] ids)
    {
        var (seen, wanted) = (ids.ToDictionary(id => id, _ => 0.0), ids.ToDictionary(id => id, _ => 0.0));
        foreach (var row in rows)
        {
            seen[row.Series.Campaign] += row.Series.Applications[row.Hour];
            wanted[row.Series.Campaign] += Expected(row.Series, row.Hour);
        }

        var made = ids.ToDictionary(id => id, id => Campaigns[id] * (seen[id] + Prior) / (wanted[id] + Prior));
        var mean = Math.Exp(made.Values.Average(Math.Log));
        return made.ToDictionary(pair => pair.Key, pair => pair.Value / mean);
    }

    private double Daily(double usd, double most, double half, double shape)
    {
        var sum = 0.0;
        for (var hour = 0; hour < 24; hour++)
        {
            sum += Hours[hour] * most * Hill(usd * Pacing[hour], half, shape);
        }

        return sum;
    }

    private (double Low, double High) Interval(Func<double[], double> of)
    {
        var sorted = Draws.Select(of).Order().ToArray();
        return sorted.Length == 0 ? (double.NaN, double.NaN) : (sorted[sorted.Length / 10], sorted[sorted.Length - 1 - (sorted.Length / 10)]);
    }

    private static bool IsBroken(double count, double mean) => Math.Abs(count - mean) > 5 * Math.Sqrt(mean + 0.5) + 1;

    /// <summary>Whether six hours around one brought far less than they should have.</summary>
    private static bool IsSilent(ResponseCurve curve, CampaignSeries series, int hour)
    {
        var (seen, wanted) = (0.0, 0.0);
        for (var i = Math.Max(0, hour - 3); i <= Math.Min(series.Length - 1, hour + 3); i++)
        {
            seen += series.Applications[i];
            wanted += curve.Expected(series, i);
        }

        return wanted > 4 && seen < wanted - (3 * Math.Sqrt(wanted));
    }

    /// <summary>The half-way dollars (as logarithms) and exponents that a grid covers.</summary>
    private readonly record struct Window(double LeastHalf, double MostHalf, double LeastShape, double MostShape)
    {
        private const int Halves = 24, Shapes = 15;
        private const double Finest = 1e-3;

        private double HalfStep => (MostHalf - LeastHalf) / (Halves - 1);

        private double ShapeStep => (MostShape - LeastShape) / (Shapes - 1);

        /// <summary>From a tenth of the usual dollars to twenty-five times, exponents from 0.6 to 2.</summary>
        public static Window Whole(ResponseCurve curve)
        {
            var middle = Math.Log(Math.Max(Math.Sqrt(curve.LeastHourlyUsd * curve.MostHourlyUsd), 1e-3));
            return new Window(middle - Math.Log(10), middle + Math.Log(25), 0.6, 2);
        }

        public (double Half, double Shape)[] Points()
        {
            var window = this;
            return [.. Enumerable.Range(0, Halves * Shapes).Select(i => (Math.Exp(window.LeastHalf + (window.HalfStep * (i / Shapes))), window.LeastShape + (window.ShapeStep * (i % Shapes))))];
        }

        /// <summary>The window that holds some curves and a step beside them; null where that is not much smaller.</summary>
        public Window? Around(IReadOnlyList<(double Most, double Half, double Shape)> curves)
        {
            var closer = new Window(
                Math.Max(LeastHalf, Math.Log(curves.Min(curve => curve.Half)) - HalfStep), Math.Min(MostHalf, Math.Log(curves.Max(curve => curve.Half)) + HalfStep),
                Math.Max(LeastShape, curves.Min(curve => curve.Shape) - ShapeStep), Math.Min(MostShape, curves.Max(curve => curve.Shape) + ShapeStep));
            return HalfStep > Finest && (closer.HalfStep < HalfStep / 3 || closer.ShapeStep < ShapeStep / 3) ? closer : null;
        }
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0 ? double.PositiveInfinity : sorted[sorted.Length / 2];
    }

    /// <summary>
    /// The likelihood's sums by week for every curve of a grid, so that a fit to drawn weeks is a sum of sums. Each hour of the day of each campaign has its own height, in closed
    /// form (conditional Poisson with fixed effects; Hausman, Hall, Griliches 1984, section 2), so that the curve rests on how applications moved with the money of the
    /// same hour and campaign: hours with many people are hours with much money, and that says nothing.
    /// </summary>
    private sealed class Grid
    {
        private readonly (double Half, double Shape)[] points;
        private readonly double[][][] expected;
        private readonly double[][] level;
        private readonly double[][] logs;
        private readonly double[][] counts;
        private readonly int cells;

        private Grid(int weeks, int cells, Window window)
        {
            this.cells = cells;
            points = window.Points();
            expected = [.. points.Select(_ => Enumerable.Range(0, weeks).Select(_ => new double[cells]).ToArray())];
            level = [.. points.Select(_ => new double[weeks])];
            logs = [.. points.Select(_ => new double[weeks])];
            counts = [.. Enumerable.Range(0, weeks).Select(_ => new double[cells])];
        }

        public static Grid Of(ResponseCurve curve, List<(CampaignSeries Series, int Hour)> rows, Window window)
        {
            var start = rows.Min(row => row.Series.Start);
            int Week((CampaignSeries Series, int Hour) row) => (int)(row.Series.At(row.Hour) - start).TotalDays / 7;
            var campaigns = rows.Select(row => row.Series.Campaign).Distinct().Order(StringComparer.Ordinal).ToList();
            var place = campaigns.Select((id, i) => (id, i)).ToDictionary(pair => pair.id, pair => pair.i, StringComparer.Ordinal);
            var grid = new Grid(rows.Max(Week) + 1, 24 * campaigns.Count, window);
            var data = rows.Select(row => (
                Week: Week(row), Cell: (24 * place[row.Series.Campaign]) + row.Series.LocalHour(row.Hour), Log: Math.Log(row.Series.Usd[row.Hour]), Count: row.Series.Applications[row.Hour],
                Factor: curve.Factor(row.Series, row.Hour), Own: curve.Factor(row.Series, row.Hour) / curve.Hours[row.Series.LocalHour(row.Hour)] / curve.Campaigns.GetValueOrDefault(row.Series.Campaign, 1))).ToArray();
            foreach (var row in data)
            {
                grid.counts[row.Week][row.Cell] += row.Count;
            }

            Parallel.For(0, grid.points.Length, new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, Environment.ProcessorCount - 1) }, i =>
            {
                var (half, shape) = (Math.Log(grid.points[i].Half), grid.points[i].Shape);
                foreach (var row in data)
                {
                    var hill = 1 / (1 + Math.Exp(shape * (half - row.Log)));
                    grid.expected[i][row.Week][row.Cell] += row.Own * hill;
                    grid.level[i][row.Week] += row.Factor * hill;
                    if (row.Count > 0)
                    {
                        grid.logs[i][row.Week] += row.Count * Math.Log(hill);
                    }
                }
            });
            return grid;
        }

        /// <summary>The likeliest curve of all weeks, or of as many drawn with replacement.</summary>
        public (double Most, double Half, double Shape) Best(Random? random)
        {
            var weeks = new int[counts.Length];
            for (var i = 0; i < weeks.Length; i++)
            {
                weeks[i] = random is null ? i : random.Next(weeks.Length);
            }

            var total = new double[cells];
            foreach (var week in weeks)
            {
                Add(total, counts[week]);
            }

            var (best, likelihood, sums) = (0, double.NegativeInfinity, new double[cells]);
            for (var i = 0; i < points.Length; i++)
            {
                Array.Clear(sums);
                var found = 0.0;
                foreach (var week in weeks)
                {
                    Add(sums, expected[i][week]);
                    found += logs[i][week];
                }

                // Σ y log(A f h) - A Σ f h with A = Σ y / Σ f h in each cell, without what no curve changes.
                for (var cell = 0; cell < cells; cell++)
                {
                    found -= total[cell] > 0 ? total[cell] * Math.Log(sums[cell]) : 0;
                }

                (best, likelihood) = found > likelihood ? (i, found) : (best, likelihood);
            }

            return (total.Sum() / weeks.Sum(week => level[best][week]), points[best].Half, points[best].Shape);
        }

        private static void Add(double[] to, double[] what)
        {
            for (var i = 0; i < to.Length; i++)
            {
                to[i] += what[i];
            }
        }
    }
}

/// <summary>Splits a day's money over channels.</summary>
internal static class BudgetSplit
{
    private const int Steps = 400;

    /// <summary>
    /// The split of <paramref name="usd"/> dollars a day that brings most, to a four-hundredth of them: each share goes where the dearest stretch ahead brings most for a
    /// dollar, which is right for curves that first bend upwards as well.
    /// </summary>
    public static double[] Best(IReadOnlyList<Func<double, double>> daily, double usd)
    {
        var step = usd / Steps;
        var shares = new int[daily.Count];
        var values = daily.Select(curve => Enumerable.Range(0, Steps + 1).Select(i => curve(i * step)).ToArray()).ToArray();
        for (var left = Steps; left > 0;)
        {
            var (best, stride, gain) = (0, 1, double.NegativeInfinity);
            for (var c = 0; c < values.Length; c++)
            {
                for (var ahead = 1; ahead <= left; ahead++)
                {
                    var found = (values[c][shares[c] + ahead] - values[c][shares[c]]) / ahead;
                    if (found > gain)
                    {
                        (best, stride, gain) = (c, ahead, found);
                    }
                }
            }

            shares[best] += stride;
            left -= stride;
        }

        return [.. shares.Select(share => share * step)];
    }
}
