using System.Globalization;
using System.Text;
using OKLA.ML;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Models;
using OKLA.ML.Training;

namespace OKLA.Tests.Modules.ML.Training;

/// <summary>Small tables whose truth is known.</summary>
internal static class SmallTables
{
    /// <summary>
    /// Cars whose price is 20,000 − 900 · age − 40 · thousand km, 3,000 more for an automatic one, with 800 of normal noise; whether one is sold within a month
    /// follows the logistic function of 2 − 0.3 · age + 1 for an automatic one. The day runs with the rows; the noise column says nothing.
    /// </summary>
    public static RawColumn[] Cars(int rows, int seed)
    {
        var random = new Random(seed);
        var made = new List<string?[]>();
        for (var r = 0; r < rows; r++)
        {
            double age = random.Next(0, 16), km = random.Next(5, 200);
            var automatic = random.NextDouble() < 0.5;
            var place = new[] { "Santiago", "La Vega", "Santo Domingo" }[random.Next(3)];
            var price = 20_000 - 900 * age - 40 * km + (automatic ? 3_000 : 0) + 800 * Normal(random);
            var sold = random.NextDouble() < 1 / (1 + Math.Exp(-(2 - 0.3 * age + (automatic ? 1 : 0))));
            made.Add(
            [
                Text(age), random.NextDouble() < 0.05 ? null : Text(km), automatic ? "automática" : "mecánica", place, Text(Math.Round(random.NextDouble(), 3)),
                new DateTime(2025, 1, 1).AddHours(r).ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture), Text(Math.Round(price)), sold ? "sí" : "no",
                price < 8_000 ? "barato" : price < 14_000 ? "medio" : "caro",
            ]);
        }

        return RawRows.Columns(["age", "km", "transmission", "place", "noise", "day", "price", "sold", "level"], made);
    }

    /// <summary>The same as a CSV file.</summary>
    public static Stream Csv(RawColumn[] columns)
    {
        var text = new StringBuilder(string.Join(',', columns.Select(column => column.Name))).Append('\n');
        for (var r = 0; r < columns.Count(); r++)
        {
            text.Append(string.Join(',', columns.Row(r))).Append('\n');
        }

        return new MemoryStream(Encoding.UTF8.GetBytes(text.ToString()));
    }

    public static TableTraining Training(TableDefinition definition, RawColumn[] columns, TableRecipe? recipe = null) => new(
        definition with { Name = definition.Name.Length > 0 ? definition.Name : "cars", Dataset = "cars" }, _ => Task.FromResult(new TableData(columns, "cars", 1, "", DateTimeOffset.UnixEpoch)),
        new MLOptions { TrainingThreads = 1 }, TimeProvider.System, recipe);

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
