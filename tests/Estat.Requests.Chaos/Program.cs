// Thousands of users, three campaigns, a server that is killed again and again; then the store and the lake are judged by what users were told.
using System.Globalization;
using Estat.Requests.Chaos;

try
{
    var options = OracleOptions.Parse(args);
    IReadOnlyList<string> faults;
    if (options.Backup is null)
    {
        await using var run = new OracleRun(options, Console.Out);
        faults = await run.RunAsync();
    }
    else
    {
        await using var run = new BackupRun(options, Console.Out);
        faults = await run.RunAsync();
    }

    foreach (string fault in faults.Take(20))
    {
        Console.WriteLine($"BROKEN: {fault}");
    }

    Console.WriteLine(faults.Count == 0 ? "Every promise held."
        : string.Create(CultureInfo.InvariantCulture, $"{faults.Count} promises were broken. Again: --seed {options.Seed}"));
    return faults.Count == 0 ? 0 : 1;
}
catch (FormatException error)
{
    Console.Error.WriteLine(error.Message);
    Console.Error.WriteLine(OracleOptions.Usage);
    return 2;
}
