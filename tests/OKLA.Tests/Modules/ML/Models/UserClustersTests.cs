using OKLA.ML.Models;

namespace OKLA.Tests.Modules.ML.Models;

public sealed class UserClustersTests
{
    [Test]
    public void Planted_kinds_of_people_are_found_named_and_kept()
    {
        var people = People(600, seed: 3);

        var (model, tried) = UserClusters.Choose(people, People(300, seed: 4), seed: 1);

        model.Clusters.Count.ShouldBe(3, string.Join(' ', tried));
        model.Silhouette(People(300, seed: 5), seed: 1).ShouldBeGreaterThan(0.6);
        model.Clusters.Select(cluster => cluster.Name.Split(" de unos")[0]).ShouldBe(["Jeepetas", "Hatchbacks", "Motores"], ignoreOrder: true);
        model.Clusters.ShouldAllBe(cluster => cluster.Traits.Count > 0);
        var again = UserClusters.Load(model.Save());
        people.Select(again.Assign).ShouldBe(people.Select(model.Assign));
        Should.Throw<InvalidDataException>(() => UserClusters.Load([3, 97, 98, 99, 1, 0, 0, 0]));
    }

    [Test]
    public void The_fits_of_a_person_add_up_to_one()
    {
        var people = People(200, seed: 3);

        UserClusters.Fit(people, 3, 1).Fits(people[0]).Sum().ShouldBe(1, 1e-12);
    }

    [Test]
    public void Two_groupings_agree_as_hubert_and_arabie_count_it()
    {
        // Of 6 pairs 2 are together in the one grouping, 1 in the other and 1 in both: (1 − 2·1/6) / ((2 + 1)/2 − 2·1/6).
        UserClusters.AgreementOf([0, 0, 1, 1], [0, 0, 1, 2]).ShouldBe((1 - (2 * 1 / 6.0)) / (1.5 - (2 * 1 / 6.0)), 1e-12);
        UserClusters.AgreementOf([0, 0, 1, 1], [1, 1, 0, 0]).ShouldBe(1);
    }

    [Test]
    public void Somebody_with_few_views_is_in_no_group()
    {
        UserClusters.Tastes([9.0, 2015.0, new Dictionary<string, double> { ["sedan"] = 1 }, 4.0]).ShouldBeNull();
        UserClusters.Tastes([9.0, 2015.0, new Dictionary<string, double> { ["sedan"] = 1 }, 5.0])![2].ShouldBe(1);
        UserClusters.Tastes([null, 2015.0, new Dictionary<string, double>(), 50.0]).ShouldBeNull();
    }

    /// <summary>Three kinds: family cars, first cars, motorcycles.</summary>
    internal static List<double[]> People(int count, int seed)
    {
        var random = new Random(seed);
        (double Usd, double Year, int Body)[] kinds = [(28_000, 2020, 1), (11_000, 2014, 3), (2_500, 2017, 5)];
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var (usd, year, body) = kinds[i % 3];
            var row = new double[2 + UserClusters.Bodies.Length];
            row[0] = Math.Log(usd) + (0.2 * (random.NextDouble() - 0.5));
            row[1] = year + random.NextDouble();
            row[body + 2] = 0.7 + (0.2 * random.NextDouble());
            return row;
        })];
    }
}
