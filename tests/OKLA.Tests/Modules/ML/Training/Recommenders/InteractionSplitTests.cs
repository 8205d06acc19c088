using OKLA.ML.Training.Recommenders;
using OKLA.Shared.Contracts;

namespace OKLA.Tests.Modules.ML.Training.Recommenders;

public sealed class InteractionSplitTests
{
    [Test]
    public void Of_too_many_interactions_those_of_some_people_are_taken_each_person_whole()
    {
        const int People = 2_000, Each = 10;
        var rows = Enumerable.Range(0, People * Each).ToArray();
        var frame = new InteractionFrame(
            [.. Enumerable.Range(0, People).Select(n => $"p{n}")], ["a", "b", "c"], [.. rows.Select(row => row % People)], [.. rows.Select(row => row % 3)], [.. rows.Select(row => (float)row)],
            [.. rows.Select(row => (long)row)], [.. rows.Select(row => row + 1L)]) { Ids = ["x"], Id = new int[rows.Length] };

        var some = frame.OfSomePeople(5_000, seed: 1);

        some.Person.CountBy(person => person).ShouldAllBe(person => person.Value == Each);
        // A quarter of the people by chance: five standard deviations are a hundred people.
        (some.Count / Each).ShouldBeInRange(400, 600);
        some.OccurredAt.ShouldBe(some.OccurredAt.Order());
        for (var row = 0; row < some.Count; row++)
        {
            var was = (int)some.OccurredAt[row];
            (some.Person[row], some.Item[row], some.Weight[row], some.KnownAt[row]).ShouldBe((frame.Person[was], frame.Item[was], frame.Weight[was], frame.KnownAt[was]));
        }

        some.Id.Length.ShouldBe(some.Count);
        some.Position.ShouldBeEmpty();
        frame.OfSomePeople(5_000, seed: 1).Person.ShouldBe(some.Person);
        frame.OfSomePeople(rows.Length, seed: 1).ShouldBeSameAs(frame);
    }
}
