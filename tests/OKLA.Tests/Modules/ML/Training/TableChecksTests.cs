using System.Globalization;
using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Models;
using OKLA.ML.Training;

namespace OKLA.Tests.Modules.ML.Training;

public sealed class TableChecksTests
{
    [Test]
    public void Rows_of_a_few_people_raise_no_alarm_of_a_leak_by_luck([Range(1, 24)] int seed)
    {
        // Twenty-four people, thirty rows of each: a shuffled target ranks people, not rows, so its AUC spreads by .12 about one half. One shuffle alone raises an alarm for seeds 13, 21 and 23.
        var random = new Random(seed);
        var people = Enumerable.Range(0, 24).Select(person => (Numbers: Enumerable.Range(0, 5).Select(_ => random.NextDouble()).ToArray(), Left: person % 2 == 0)).ToArray();
        var rows = Enumerable.Range(0, 720).Select(row => people[row % 24]).ToArray();
        var columns = RawRows.Columns(
            ["a", "b", "c", "d", "e", "left"],
            [.. rows.Select(row => row.Numbers.Select(number => (string?)number.ToString("0.###", CultureInfo.InvariantCulture)).Append(row.Left ? "sí" : "no").ToArray())]);
        var task = TableTask.Read(columns[^1], "binary", "sí");

        var leaks = TableChecks.Leaks(columns[..^1], columns[^1], null, task, new Split([.. Enumerable.Range(0, 480)], [.. Enumerable.Range(480, 240)]), limit: 1, seed, default);

        leaks.ShouldBeEmpty();
    }
}
