// Cheap attacks on a small server, one after another, while an honest client goes on. Exit code 0: it held; 1: it did not; 2: a wrong command line.
using Estat.Soak;

try
{
    return await SoakRun.RunAsync(SoakOptions.Parse(args), Console.Out) ? 0 : 1;
}
catch (FormatException error)
{
    Console.Error.WriteLine(error.Message);
    return 2;
}
