// Servers that run as processes are held against /openapi.json as well.
using System.Runtime.CompilerServices;
using Estat.Testing;

namespace Estat.Api.Tests.Contract;

internal static class ContractSetup
{
    [ModuleInitializer]
    internal static void Apply() => ServerProcess.Through = handler => new ContractHandler(ApiDescription.Default, handler);
}
