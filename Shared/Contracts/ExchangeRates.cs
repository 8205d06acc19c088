using System.ComponentModel.DataAnnotations;

namespace OKLA.Shared.Contracts;

/// <summary>One step of the exchange rate: pesos for one dollar from a day on.</summary>
public sealed class ExchangeRate
{
    /// <summary>First day of the rate (UTC).</summary>
    public DateOnly From { get; set; }

    /// <summary>Dominican pesos for one US dollar.</summary>
    [Range(0.01, 100_000)]
    public decimal DopPerUsd { get; set; }
}

/// <summary>Section <c>Money</c>: how pesos and dollars compare.</summary>
public sealed class MoneyOptions
{
    /// <summary>Rates by first day, any order. The last one holds until the operator adds another; the first one holds before its day too.</summary>
    public IList<ExchangeRate> Rates { get; } = [];

    /// <summary>Rates that hold when the section is empty: those at which the Dominican listings of 2022 were read.</summary>
    internal static IReadOnlyList<ExchangeRate> Defaults { get; } =
    [
        new() { From = new DateOnly(2022, 1, 1), DopPerUsd = 57.5m },
        new() { From = new DateOnly(2022, 3, 1), DopPerUsd = 55.0m },
        new() { From = new DateOnly(2022, 4, 1), DopPerUsd = 55.1m },
        new() { From = new DateOnly(2022, 8, 1), DopPerUsd = 53.3m },
    ];
}

/// <summary>Converts between pesos (DOP) and dollars (USD) at the rate of a day.</summary>
public sealed class ExchangeRates
{
    private readonly ExchangeRate[] rates;

    /// <summary>Takes the rates of <paramref name="options"/>, or the defaults when there are none.</summary>
    public ExchangeRates(MoneyOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        IEnumerable<ExchangeRate> known = options.Rates.Count > 0 ? options.Rates : MoneyOptions.Defaults;
        rates = [.. known.OrderBy(rate => rate.From)];
    }

    /// <summary>The steps, by first day.</summary>
    public IReadOnlyList<ExchangeRate> Rates => rates;

    /// <summary>Pesos for one dollar at a time.</summary>
    public decimal DopPerUsd(DateTimeOffset at)
    {
        var day = DateOnly.FromDateTime(at.UtcDateTime);
        return (rates.LastOrDefault(rate => rate.From <= day) ?? rates[0]).DopPerUsd;
    }

    /// <summary>An amount in dollars at the rate of a time; null for a currency that is neither DOP nor USD.</summary>
    public decimal? ToUsd(Money? money, DateTimeOffset at) => money?.Currency switch
    {
        "USD" => money.Amount,
        "DOP" => money.Amount / DopPerUsd(at),
        _ => null,
    };

    /// <summary>An amount in pesos at the rate of a time; null for a currency that is neither DOP nor USD.</summary>
    public decimal? ToDop(Money? money, DateTimeOffset at) => money?.Currency switch
    {
        "DOP" => money.Amount,
        "USD" => money.Amount * DopPerUsd(at),
        _ => null,
    };
}
