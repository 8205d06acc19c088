using System.Reflection;
using System.Text.RegularExpressions;
using OKLA.ML.Algorithms.Trees;
using OKLA.ML.Algorithms.Tuning;

namespace OKLA.ML.Algorithms.Tests;

internal sealed partial class ListOfAlgorithmsTests
{
    // Helpers with a Fit of their own, which are parts of what the list names.
    private static readonly string[] Parts = ["BinnedDataset", "ClassTarget", "LinearInputs", "NumberTarget"];

    private static string List()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "OKLA.sln"))) folder = folder.Parent;
        return File.ReadAllText(Path.Combine(folder.ShouldNotBeNull().FullName, "Modules", "ML", "Algorithms", "README.md"));
    }

    [Test]
    public void Every_trainer_is_named_in_the_list()
    {
        var list = List();
        var trainers = typeof(GradientBoosting).Assembly.GetExportedTypes().Where(type => Learns(type) || (!type.IsAbstract && (type.IsSubclassOf(typeof(Sampler)) || type.IsSubclassOf(typeof(Pruner))))).ToList();
        trainers.Count.ShouldBeGreaterThan(40);
        trainers.Select(type => type.Name).Except(Parts).Where(name => !list.Contains($"`{name}`", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    [Test]
    public void Every_test_named_in_the_list_exists()
    {
        var tests = typeof(ListOfAlgorithmsTests).Assembly.GetTypes().SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance).Select(method => $"{type.Name}.{method.Name}")).ToHashSet();
        var named = TestName().Matches(List()).Select(match => match.Groups[1].Value).ToList();
        named.Count.ShouldBeGreaterThan(80);
        named.Where(name => !tests.Contains(name)).ShouldBeEmpty();
    }

    private static bool Learns(Type type) => type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)
        .Any(method => method.Name is "Fit" or "Train" or "FitTransform" or "FitMiniBatch" || method.Name.StartsWith("Fit", StringComparison.Ordinal));

    [GeneratedRegex(@"`([A-Za-z0-9]+Tests\.[A-Za-z0-9_]+)`")]
    private static partial Regex TestName();
}
