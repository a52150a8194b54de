global using Estat.Collect.Tests.Support;
global using Estat.Testing;
global using Estat.Tests.Support;
global using Microsoft.Extensions.Logging.Abstractions;
global using Xunit;
