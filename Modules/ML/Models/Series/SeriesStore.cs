using Npgsql;
using OKLA.ML.Training;

namespace OKLA.ML.Models.Series;

/// <summary>A campaign's channel by hour, without gaps: one place an hour from <see cref="Start"/> on.</summary>
/// <param name="Campaign">Campaign.</param>
/// <param name="Channel">Channel.</param>
/// <param name="Start">First hour (UTC).</param>
/// <param name="Usd">Dollars spent.</param>
/// <param name="Clicks">Clicks.</param>
/// <param name="Applications">Applications.</param>
/// <param name="Competition">Share of auctions that others won; the hour before's where none was reported, 0.5 at the beginning.</param>
internal sealed record CampaignSeries(string Campaign, string Channel, DateTimeOffset Start, double[] Usd, double[] Clicks, double[] Applications, double[] Competition)
{
    /// <summary>Hours.</summary>
    public int Length => Usd.Length;

    /// <summary>The beginning of an hour (UTC).</summary>
    public DateTimeOffset At(int hour) => Start.AddHours(hour);

    /// <summary>Hour of the day in Santo Domingo (UTC-4 all year).</summary>
    public int LocalHour(int hour) => At(hour).ToOffset(SeriesStore.Local).Hour;

    /// <summary>Day of the week in Santo Domingo, 0 is Sunday.</summary>
    public int Weekday(int hour) => (int)At(hour).ToOffset(SeriesStore.Local).DayOfWeek;

    /// <summary>The part before an hour.</summary>
    public CampaignSeries Until(int hour) => this with { Usd = Usd[..hour], Clicks = Clicks[..hour], Applications = Applications[..hour], Competition = Competition[..hour] };
}

/// <summary>Demand of a segment by hour, without gaps.</summary>
/// <param name="Type">Body type; empty when not stated.</param>
/// <param name="Band">Price band.</param>
/// <param name="Place">Province.</param>
/// <param name="Hours">Views by hour (UTC).</param>
internal sealed record DemandRow(string Type, string Band, string Place, IReadOnlyDictionary<DateTimeOffset, double> Hours);

/// <summary>Reads the series that <see cref="SeriesEvents"/> keeps.</summary>
internal sealed class SeriesStore(NpgsqlDataSource database, TrainingWorld? world = null)
{
    /// <summary>The Dominican Republic keeps UTC-4 all year.</summary>
    public static readonly TimeSpan Local = TimeSpan.FromHours(-4);

    /// <summary>The same within a world that can be brought back: what is read comes through it.</summary>
    public SeriesStore In(TrainingWorld through) => new(database, through);

    /// <summary>Campaigns by channel up to a time; the hour that is not over yet is left out.</summary>
    public Task<IReadOnlyList<CampaignSeries>> CampaignsAsync(DateTimeOffset until, DateTimeOffset? from, string? campaign, CancellationToken ct) => world is null
        ? StoredCampaignsAsync(until, from, campaign, ct)
        : world.ReadAsync($"campaigns {from:O} {until:O} {campaign}", () => StoredCampaignsAsync(until, from, campaign, ct), ct);

    /// <summary>Demand by segment, place and hour within a time.</summary>
    public Task<IReadOnlyList<DemandRow>> DemandAsync(string kind, DateTimeOffset from, DateTimeOffset until, CancellationToken ct) => world is null
        ? StoredDemandAsync(kind, from, until, ct)
        : world.ReadAsync($"demand {kind} {from:O} {until:O}", () => StoredDemandAsync(kind, from, until, ct), ct);

    private async Task<IReadOnlyList<CampaignSeries>> StoredCampaignsAsync(DateTimeOffset until, DateTimeOffset? from, string? campaign, CancellationToken ct)
    {
        var over = new DateTimeOffset(until.UtcTicks - (until.UtcTicks % TimeSpan.TicksPerHour), TimeSpan.Zero);
        await using var command = database.CreateCommand("""
            select campaign_id, channel, hour, usd, clicks, applications, competition from ml.campaign_hours
            where hour < $1 and hour >= $2 and ($3::text is null or campaign_id = $3) order by campaign_id, channel, hour
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = over.UtcDateTime });
        command.Parameters.Add(new NpgsqlParameter { Value = (from ?? DateTimeOffset.UnixEpoch).UtcDateTime });
        command.Parameters.Add(new NpgsqlParameter { Value = (object?)campaign ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });
        var rows = new List<(string Campaign, string Channel, DateTimeOffset Hour, double Usd, double Clicks, double Applications, double Competition)>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            rows.Add((reader.GetString(0), reader.GetString(1), reader.GetFieldValue<DateTimeOffset>(2), reader.GetDouble(3), reader.GetDouble(4), reader.GetDouble(5), reader.IsDBNull(6) ? double.NaN : reader.GetDouble(6)));
        }

        return [.. rows.GroupBy(row => (row.Campaign, row.Channel)).Select(group =>
        {
            var (first, last) = (group.First().Hour, group.Last().Hour);
            var length = (int)(last - first).TotalHours + 1;
            var series = new CampaignSeries(group.Key.Campaign, group.Key.Channel, first, new double[length], new double[length], new double[length], new double[length]);
            Array.Fill(series.Competition, double.NaN);
            foreach (var row in group)
            {
                var at = (int)(row.Hour - first).TotalHours;
                (series.Usd[at], series.Clicks[at], series.Applications[at], series.Competition[at]) = (row.Usd, row.Clicks, row.Applications, row.Competition);
            }

            var known = 0.5;
            for (var i = 0; i < length; i++)
            {
                known = series.Competition[i] = double.IsNaN(series.Competition[i]) ? known : series.Competition[i];
            }

            return series;
        })];
    }

    private async Task<IReadOnlyList<DemandRow>> StoredDemandAsync(string kind, DateTimeOffset from, DateTimeOffset until, CancellationToken ct)
    {
        await using var command = database.CreateCommand("select type, band, place, hour, views from ml.demand_hours where kind = $1 and hour >= $2 and hour < $3 order by type, band, place, hour");
        command.Parameters.Add(new NpgsqlParameter { Value = kind });
        command.Parameters.Add(new NpgsqlParameter { Value = from.UtcDateTime });
        command.Parameters.Add(new NpgsqlParameter { Value = until.UtcDateTime });
        var rows = new Dictionary<(string, string, string), Dictionary<DateTimeOffset, double>>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var key = (reader.GetString(0), reader.GetString(1), reader.GetString(2));
            if (!rows.TryGetValue(key, out var hours))
            {
                rows[key] = hours = [];
            }

            hours[reader.GetFieldValue<DateTimeOffset>(3)] = reader.GetDouble(4);
        }

        return [.. rows.Select(pair => new DemandRow(pair.Key.Item1, pair.Key.Item2, pair.Key.Item3, pair.Value))];
    }
}
