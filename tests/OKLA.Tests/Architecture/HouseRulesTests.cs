using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace OKLA.Tests.Architecture;

/// <summary>The rules of the house that the tree itself can prove; the list of modules is read from the folder.</summary>
public sealed partial class HouseRulesTests
{
    private static readonly string Root = FindRoot();

    private static string[] Modules => [.. Directory.GetDirectories(Path.Combine(Root, "Modules")).Select(folder => Path.GetFileName(folder)!).Order(StringComparer.Ordinal)];

    [TestCaseSource(nameof(Modules))]
    public void A_module_refers_to_Shared_and_to_no_other_module(string module)
    {
        var folder = Path.Combine(Root, "Modules", module);
        var references = Directory.EnumerateFiles(folder, "*.csproj", SearchOption.AllDirectories)
            .SelectMany(project => XDocument.Load(project).Descendants("ProjectReference").Select(reference =>
                Path.GetFullPath(Path.Combine(Path.GetDirectoryName(project)!, reference.Attribute("Include")!.Value.Replace('\\', '/')))))
            .ToList();

        references.ShouldAllBe(reference => reference.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal) || Path.GetFileName(reference) == "OKLA.Shared.csproj");
    }

    [Test]
    public void Shared_refers_to_no_module() =>
        XDocument.Load(Path.Combine(Root, "Shared", "OKLA.Shared.csproj")).Descendants("ProjectReference").ShouldBeEmpty();

    [Test]
    public void The_algorithms_refer_to_nothing_of_the_house_and_do_no_web() =>
        XDocument.Load(Path.Combine(Root, "Modules", "ML", "Algorithms", "OKLA.ML.Algorithms.csproj")).Descendants()
            .Where(element => element.Name.LocalName is "ProjectReference" or "FrameworkReference").ShouldBeEmpty();

    [TestCaseSource(nameof(Modules))]
    public void A_module_names_no_schema_of_another_module_in_its_SQL(string module)
    {
        var others = Modules.Where(other => other != module).Select(other => other.ToLowerInvariant()).Append("events").ToHashSet();
        var found = SourcesOf(Path.Combine(Root, "Modules", module))
            .SelectMany(file => SqlTable().Matches(File.ReadAllText(file)).Select(match => (File: Path.GetRelativePath(Root, file), Schema: match.Groups["schema"].Value)))
            .Where(use => others.Contains(use.Schema))
            .ToList();

        found.ShouldBeEmpty();
    }

    [TestCaseSource(nameof(Modules))]
    public void A_module_shows_only_its_module_class_and_its_request_shapes(string module)
    {
        var assembly = Assembly.Load($"OKLA.{module}");

        // Nested types are the requests and answers of slices, which validation and OpenAPI must see.
        var shown = assembly.GetExportedTypes().Where(type => !type.IsNested && type.Name != $"{module}Module").Select(type => type.FullName!).ToList();

        shown.ShouldBeEmpty();
    }

    [Test]
    public void The_top_level_has_its_rooms_and_nothing_else()
    {
        string[] rooms = ["OKLA.Host", "Modules", "Shared", "tests", "build", "OKLA.sln", "appsettings.json", "README.md", "global.json", "Directory.Build.props", "Directory.Packages.props"];

        Directory.EnumerateFileSystemEntries(Root).Select(entry => Path.GetFileName(entry)!).Where(name => name[0] != '.').ShouldBeSubsetOf(rooms);
    }

    [Test]
    public void Time_is_read_through_TimeProvider() => Offenders(ClockRead()).ShouldBeEmpty();

    [Test]
    public void No_catch_hides_a_fault() => Offenders(EmptyCatch()).ShouldBeEmpty();

    [Test]
    public void Every_package_version_stands_in_one_file() =>
        Directory.EnumerateFiles(Root, "*.csproj", SearchOption.AllDirectories).Where(file => !file.Contains("/.artifacts/", StringComparison.Ordinal))
            .Where(file => XDocument.Load(file).Descendants("PackageReference").Any(reference => reference.Attribute("Version") is not null)).ShouldBeEmpty();

    private static List<string> Offenders(Regex pattern) =>
        [.. new[] { "Modules", "Shared", "OKLA.Host" }.SelectMany(room => SourcesOf(Path.Combine(Root, room)))
            .Where(file => file.EndsWith(".cs", StringComparison.Ordinal) && pattern.IsMatch(File.ReadAllText(file))).Select(file => Path.GetRelativePath(Root, file))];

    private static IEnumerable<string> SourcesOf(string folder) =>
        Directory.EnumerateFiles(folder, "*.*", SearchOption.AllDirectories)
            .Where(file => (file.EndsWith(".cs", StringComparison.Ordinal) || file.EndsWith(".sql", StringComparison.Ordinal)) && !file.Contains("node_modules", StringComparison.Ordinal));

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "OKLA.sln")))
        {
            folder = folder.Parent;
        }

        return folder.FullName;
    }

    [GeneratedRegex(@"\b(?:from|join|into|update|table|truncate|copy|references|schema|on)\s+(?:only\s+|if\s+(?:not\s+)?exists\s+)?(?<schema>[a-z_]+)(?:\.[a-z_]+|\s*;)", RegexOptions.IgnoreCase)]
    private static partial Regex SqlTable();

    [GeneratedRegex(@"DateTime(?:Offset)?\.(?:UtcNow|Now)\b")]
    private static partial Regex ClockRead();

    [GeneratedRegex(@"catch\s*(?:\([^)]*\)\s*)?(?:when\s*\([^)]*\)\s*)?\{\s*\}")]
    private static partial Regex EmptyCatch();
}
